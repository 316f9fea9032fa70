"""Outcomes in, report out. What runs write goes to the folder `output` beside this file."""
