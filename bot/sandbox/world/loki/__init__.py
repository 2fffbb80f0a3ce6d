"""Loki's query API over the simulated log lines."""
