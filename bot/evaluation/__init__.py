"""Recorded incidents of others: converted into cases, run through the same reasoning, and scored."""
