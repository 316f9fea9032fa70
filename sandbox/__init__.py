"""A real small Ordinaut to try and test on: servers, stand-in services, and faults that break them."""
