"""A make-believe company on loopback: its Slack workspace, its production and its incidents."""
