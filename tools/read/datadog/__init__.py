"""Series and alerts from Datadog."""
