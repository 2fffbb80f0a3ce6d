"""Recorded incidents of others: made into cases, run through the same reasoning, scored."""
