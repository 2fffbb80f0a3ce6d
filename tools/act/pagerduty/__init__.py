"""What can be done to an incident in PagerDuty: it changes who is called, so a person decides."""
