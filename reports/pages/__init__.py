"""The HTML pages: the report and the overview."""
