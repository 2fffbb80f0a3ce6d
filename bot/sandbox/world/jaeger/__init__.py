"""Jaeger's query API over simulated traces."""
