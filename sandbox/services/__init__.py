"""Stand-ins for Ordinaut's own services: small processes that behave like the real ones."""
