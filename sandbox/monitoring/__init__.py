"""The monitoring of a sandbox: a real Prometheus, a real Alertmanager, exporters, and a stand-in for Grafana's API."""
