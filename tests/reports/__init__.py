"""Tests of the reporting of runs."""
