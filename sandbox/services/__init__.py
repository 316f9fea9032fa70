"""Stand-ins for Ordinaut's own services: small processes with the habits of the real ones."""
