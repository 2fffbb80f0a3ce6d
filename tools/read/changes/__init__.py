"""What was changed, when, from what to what."""
