"""The suite's own tests; never collected by a health run."""
