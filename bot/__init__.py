"""sre-bot: a teammate in Slack that investigates, proposes, and acts as far as policy lets it."""
