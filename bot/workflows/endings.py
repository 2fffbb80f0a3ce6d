"""How workflows end: counted by kind as they do, and those that failed read from the journal."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from types import TracebackType
from typing import Any

from dbos import DBOS

from bot.domain.own_incident import Failed
from bot.domain.telemetry import Telemetry
from bot.workflows.naming import names_of

MOST = 50  # failed ones that are read, the newest
ALIVE = ("PENDING", "ENQUEUED", "DELAYED")


class Ending:
    """Counts how a workflow's body ends; one that is only put off (a stop, a crash) did not."""

    def __init__(self, telemetry: Telemetry, name: str) -> None:
        self._telemetry, self._kind = telemetry, kind_of(name)

    def __enter__(self) -> None:
        """Begin."""

    def __exit__(
        self, error: type[BaseException] | None, _value: object, _trace: TracebackType | None
    ) -> None:
        """Count the end, and let an error pass."""
        if error is None:
            self._telemetry.ended(self._kind, "done")
        elif issubclass(error, Exception):
            self._telemetry.ended(self._kind, "failed")


def kind_of(name: str) -> str:
    """Return the kind of a workflow without what it is for: "digest" of "due:digest:C0SHOP"."""
    parts = name.split(":")
    return parts[1] if parts[0] == "due" and len(parts) > 1 else parts[0]


async def failed_since(moment: datetime) -> Sequence[Failed]:
    """Return what ended with an error at that moment or later, the newest first."""
    found = await DBOS.list_workflows_async(
        status="ERROR", completed_after=moment.isoformat(), limit=MOST, sort_desc=True
    )
    return tuple(_failed(status) for status in found)


async def count_alive() -> int:
    """Return how many workflows are not at their end.

    One status at a time: the engine has an index of the few in each, and none for all three. In the
    order of a life, so that what moves on meanwhile is not missed.
    """
    found: set[str] = set()
    for status in reversed(ALIVE):
        some = await DBOS.list_workflows_async(status=status, load_input=False, load_output=False)
        found.update(one.workflow_id for one in some)
    return len(found)


def _failed(status: Any) -> Failed:
    given: Mapping[str, Any] = status.input or {}
    names = names_of(given.get("args") or ())
    return Failed(
        kind=kind_of(status.name), workflow=status.workflow_id,
        incident=names.get("incident", ""), investigation=names.get("investigation", ""),
        error=str(status.error or ""),
    )  # fmt: skip
