"""The engine: alerts, limits, probes, evidence, outcomes. It knows neither Ordinaut nor a client library."""
