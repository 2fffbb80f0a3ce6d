"""Whether the settings that the bot cannot do without are there."""

from bot.domain.errors import NotConfigured
from bot.settings import Settings


def check(settings: Settings) -> None:
    """Raise NotConfigured that names every missing setting at once."""
    missing = []
    if not settings.slack_bot_token.get_secret_value():
        missing.append("SRE_BOT_SLACK_BOT_TOKEN (xoxb-…, from the Slack app's OAuth page)")
    if settings.slack_mode == "socket" and not settings.slack_app_token.get_secret_value():
        missing.append("SRE_BOT_SLACK_APP_TOKEN (xapp-…, with connections:write)")
    if settings.slack_mode == "http" and not settings.slack_signing_secret.get_secret_value():
        missing.append("SRE_BOT_SLACK_SIGNING_SECRET (from the Slack app's Basic Information)")
    if settings.environments is None:
        missing.append("SRE_BOT_ENVIRONMENTS (a YAML file, see docs/configuration.md)")
    if missing:
        raise NotConfigured(
            "These settings are missing: " + "; ".join(missing) + ". `sre-bot doctor` checks all."
        )
