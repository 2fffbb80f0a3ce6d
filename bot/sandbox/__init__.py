"""A make-believe company on loopback, to try and test everything without Slack or a cluster."""
