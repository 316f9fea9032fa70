"""Tests of what watches Ordinaut, against a real Prometheus and a real Alertmanager."""
