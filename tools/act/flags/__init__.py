"""What can be done to feature flags."""
