"""Tests of metrics, pings and GitHub summaries."""
