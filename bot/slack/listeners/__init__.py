"""One module per surface of Slack; each acknowledges, parses and hands over."""
