"""Logs of the bot itself: one line of JSON an event on standard error, redacted."""

import logging
import sys

import structlog

from bot.domain.redaction import redact


class Redacted(logging.Filter):
    """Redacts every message before any handler sees it."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Replace the message by its redacted form; nothing is dropped."""
        record.msg, record.args = redact(record.getMessage()), None
        return True


def configure(level: str) -> None:
    """Send all logs, also those of libraries, through redaction to standard error."""
    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(Redacted())
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(),
            ],
            foreign_pre_chain=[
                structlog.stdlib.add_log_level,
                structlog.stdlib.add_logger_name,
                structlog.processors.TimeStamper(fmt="iso", utc=True),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
    for noisy in ("urllib3", "dbos", "slack_bolt", "slack_sdk", "aiohttp", "asyncio"):
        logging.getLogger(noisy).setLevel(max(logging.WARNING, root.level))
