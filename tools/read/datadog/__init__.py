"""Series from Datadog."""
