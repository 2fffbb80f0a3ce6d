"""A make-believe PagerDuty: its REST API, its Events API, and the webhooks that it signs."""
