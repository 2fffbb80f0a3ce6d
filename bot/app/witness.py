"""Keeps the head of the audit's chain outside the database: in a file, or at a webhook."""

import json
import logging
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import requests

from bot.domain.redaction import redact
from bot.settings import Settings
from bot.storage.audit import AuditLog, Head, Witness
from bot.storage.database import Database

LOG = logging.getLogger(__name__)
WITHIN_S = 2.0  # an audit line waits at most so long for the webhook
PAUSE_S = 60.0  # after a failure it is left alone for so long; the next head covers what it missed


@dataclass(frozen=True, slots=True)
class FileWitness:
    """Appends each head as a JSON line. Put the file where the database's owner cannot write."""

    path: Path

    def __call__(self, head: Head) -> None:
        """Append the head; a file that cannot be written is logged."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open("a", encoding="utf-8") as file:
                file.write(_json(head) + "\n")
        except OSError as error:
            LOG.warning("the head of the audit was not kept in %s: %s", self.path, error)


@dataclass(slots=True)
class WebhookWitness:
    """Posts each head as JSON."""

    url: str
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _not_before: float = 0.0

    def __call__(self, head: Head) -> None:
        """Post the head; an address that does not take it is logged and rests for a minute."""
        with self._lock:
            if time.monotonic() < self._not_before:
                return
        try:
            answer = requests.post(
                self.url, data=_json(head), timeout=WITHIN_S, allow_redirects=False,
                headers={"Content-Type": "application/json"},
            )  # fmt: skip
            answer.raise_for_status()
        except requests.RequestException as error:
            with self._lock:
                self._not_before = time.monotonic() + PAUSE_S
            LOG.warning("the head of the audit was not taken: %s", redact(str(error))[:200])


def audit_log(settings: Settings, database: Database) -> AuditLog:
    """Return the audit with the witnesses that the settings name."""
    witnesses: list[Witness] = []
    if settings.audit_head_file is not None:
        witnesses.append(FileWitness(settings.audit_head_file))
    webhook = settings.audit_head_webhook.get_secret_value()
    if webhook:
        witnesses.append(WebhookWitness(webhook))
    return AuditLog(database, witnesses=witnesses)


def _json(head: Head) -> str:
    return json.dumps({"id": head.id, "hash": head.hash})
