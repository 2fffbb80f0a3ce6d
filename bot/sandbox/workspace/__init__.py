"""The sandbox's own Slack: Web API, Socket Mode, interactivity and the page's API; strict."""
