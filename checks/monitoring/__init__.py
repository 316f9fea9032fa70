"""Checks of what watches Ordinaut: the playbook's sections 5 and 6."""
