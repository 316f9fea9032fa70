"""A small real Ordinaut to try and test on: real servers, stand-in services, and faults that break them."""
