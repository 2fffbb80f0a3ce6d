"""Families of metrics: which names give which signal, one module a kind of source."""
