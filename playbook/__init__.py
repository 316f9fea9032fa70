"""The engine: alerts, limits, probes, evidence, outcomes. It knows neither Ordinaut nor a client library."""

__version__ = "0.2.0"
