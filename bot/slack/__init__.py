"""The human layer: hears people in Slack, hands over to the teammate, and shows what it says."""
