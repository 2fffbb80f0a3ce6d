"""Prometheus' HTTP API over the simulated series."""
