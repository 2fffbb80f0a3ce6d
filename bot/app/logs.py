"""Logs of the bot itself: one line of JSON an event on standard error, redacted."""

import logging
import sys
import traceback
from typing import Any

import structlog

from bot.domain.errors import SreBotError
from bot.domain.redaction import redact
from bot.domain.telemetry import bound

OWN_WAYS = ("dbos",)  # libraries that would write to a handler of their own, past the redaction
NOISY = ("urllib3", "dbos", "slack_bolt", "slack_sdk", "aiohttp", "asyncio")


class Redacted(logging.Filter):
    """Redacts every message, and the error that comes with it, before any handler sees it."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Replace the message by its redacted form; nothing is dropped.

        An error that we foresaw is one line more; a bug keeps its traceback.
        """
        text = record.getMessage()
        error = record.exc_info[1] if record.exc_info else None
        if error is not None:
            text += f": {_told(error)}"
        elif record.exc_text:
            text += f": {record.exc_text}"
        if record.stack_info:
            text += f": {record.stack_info}"
        record.msg, record.args = redact(text), None
        record.exc_info = record.exc_text = record.stack_info = None
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
                _named,
                structlog.stdlib.add_log_level,
                structlog.stdlib.add_logger_name,
                structlog.processors.TimeStamper(fmt="iso", utc=True),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
    for name in OWN_WAYS:
        own = logging.getLogger(name)
        own.handlers, own.propagate = [logging.NullHandler()], True  # none: it would add its own
    for noisy in NOISY:
        logging.getLogger(noisy).setLevel(max(logging.WARNING, root.level))


def _named(
    _logger: Any, _method: str, event: structlog.typing.EventDict
) -> structlog.typing.EventDict:
    """Say which incident, investigation and workflow a line belongs to."""
    return {**{name: redact(value) for name, value in bound().items()}, **event}


def _told(error: BaseException) -> str:
    if isinstance(error, SreBotError):
        return str(error)
    return "".join(traceback.format_exception(error)).strip()
