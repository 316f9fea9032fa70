"""The playbook, as sentences: one module an alert, folder = severity, file = the alert's name."""
