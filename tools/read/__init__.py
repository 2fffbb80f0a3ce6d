"""Perception's hands: read-only, one tool one file."""
