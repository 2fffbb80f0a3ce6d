"""Log templates from Datadog, with counts in the window and in the equally long window before."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Any, ClassVar

from bot.domain.environment import Environment
from bot.domain.needs import Fact, Need
from bot.domain.snapshot import Snapshot, Source
from bot.domain.time import Window
from tools.asking import Ask, ask
from tools.clients.datadog import Datadog, Found
from tools.clients.moments import moment_of
from tools.clients.names import workload_of_pod
from tools.contract import ReadTool
from tools.read.logs.templates import Entry
from tools.read.logs.windows import Lines, read_templates

PAGES = 5
TROUBLE = "status:(error OR warn OR critical OR alert OR emergency)"
LEVELS = {
    "error": "error", "critical": "error", "alert": "error", "emergency": "error",
    "warn": "warning", "warning": "warning", "info": "info", "notice": "info", "debug": "info",
    "ok": "info",
}  # fmt: skip


class DatadogLogs(ReadTool):
    """Lines of the services asked for; without services, those whose status is trouble."""

    name: ClassVar[str] = "logs.datadog"
    system: ClassVar[str] = "logs"
    answers: ClassVar[Fact] = Fact.LOGS
    timeout_s: ClassVar[float] = 9.0

    def __init__(self, environment: Environment, client: Datadog) -> None:
        self._environment, self._client = environment, client

    @classmethod
    def for_environment(cls, environment: Environment) -> "DatadogLogs | None":
        """Return the tool, None when Datadog's logs are not read. Raises: NotConfigured."""
        client = Datadog.of(environment, "logs")
        return cls(environment, client) if client else None

    async def check(self) -> str:
        """Return whether logs can be searched. Raises: Unavailable, Refused, Malformed."""
        moment = datetime.fromtimestamp(0, tz=UTC)
        await self._client.logs(self._query(()), Window(start=moment, end=moment))
        return f"Datadog logs of {self._query(('…',))}"

    async def read(self, need: Need) -> Snapshot:
        """Return templates, errors first. Raises: Unavailable, Refused, Malformed."""
        query = self._query(need.services)
        source = Source(
            system="datadog",
            query=query,
            window=need.window,
            link=self._client.link("logs", query, need.window),
        )

        async def fetch(part: Window, baseline: bool) -> Lines:
            return await self._all(query, replace(source, window=part), baseline=baseline)

        return await read_templates(self._environment.name, need, source, fetch)

    def _query(self, services: Sequence[str]) -> str:
        parts = [f"{k}:{v}" for k, v in self._client.tags.items()]
        if self._environment.namespaces:
            parts.append(f"kube_namespace:({' OR '.join(self._environment.namespaces)})")
        parts.append(f"service:({' OR '.join(map(_quoted, services))})" if services else TROUBLE)
        return " ".join(parts)

    async def _all(self, query: str, source: Source, *, baseline: bool) -> Lines:
        window = source.window
        assert window is not None  # noqa: S101 - every source here is of a window
        entries: list[Entry] = []
        warnings: dict[str, None] = {}
        cursor = ""
        for _ in range(PAGES):
            page = await ask(
                Ask(
                    source=source,
                    call=partial(self._client.logs, query, window, cursor),
                    found=_counted,
                    wanted="log lines",
                )
            )
            entries += [_entry(raw, baseline=baseline) for raw in page.items]
            warnings.update(dict.fromkeys(page.warnings))
            cursor = page.cursor
            if not cursor or not page.items:
                break
        return Lines(entries=tuple(entries), complete=not cursor, spots=tuple(warnings))


def _counted(found: Found) -> str:
    return f"{len(found.items)} lines"


def _quoted(service: str) -> str:
    """Return a service as a search term; what is not a plain name is quoted."""
    if all(c.isalnum() or c in "-_." for c in service):
        return service
    return '"' + service.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _entry(raw: Mapping[str, Any], *, baseline: bool) -> Entry:
    found = raw.get("attributes")
    about: Mapping[str, Any] = found if isinstance(found, Mapping) else {}
    tags = _tags(about.get("tags"))
    pod = tags.get("pod_name", "")
    return Entry(
        at=moment_of(about.get("timestamp")),
        text=str(about.get("message") or ""),
        service=str(about.get("service") or "") or (workload_of_pod(pod) if pod else ""),
        pod=pod or None,
        container=tags.get("kube_container_name") or tags.get("container_name"),
        level=LEVELS.get(str(about.get("status") or "").lower(), ""),
        baseline=baseline,
    )


def _tags(raw: Any) -> dict[str, str]:
    found = (str(tag).partition(":") for tag in (raw if isinstance(raw, list) else ()))
    return {key: value for key, _, value in found if value}
