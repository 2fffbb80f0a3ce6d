"""The service graph and sample spans."""
