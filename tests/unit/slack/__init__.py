"""The human layer."""
