"""Log templates from Loki, with counts in the window and in the equally long window before."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import ClassVar

from bot.domain.environment import Environment
from bot.domain.needs import Fact, Need
from bot.domain.snapshot import Snapshot, Source
from bot.domain.time import Window
from tools.asking import Ask, ask, counted
from tools.clients.loki import PAGE, Line, Loki
from tools.clients.names import workload_of_pod
from tools.contract import ReadTool
from tools.read.logs.templates import Entry
from tools.read.logs.windows import Lines, read_templates

PAGES = 4
SERVICE_LABELS = ("service_name", "app_kubernetes_io_name", "app", "service", "container")
LEVEL_LABELS = ("detected_level", "level", "severity")
TROUBLE = '|~ "(?i)(error|warn|fatal|panic|exception|fail|refused|timed? ?out|denied|killed)"'


class LokiLogs(ReadTool):
    """Lines of the services asked for; without services, the environment's lines of trouble."""

    name: ClassVar[str] = "logs.loki"
    system: ClassVar[str] = "logs"
    answers: ClassVar[Fact] = Fact.LOGS
    timeout_s: ClassVar[float] = 8.0

    def __init__(self, environment: Environment, client: Loki) -> None:
        self._environment, self._client = environment, client

    @classmethod
    def for_environment(cls, environment: Environment) -> "LokiLogs | None":
        """Return the tool, None when the environment has no Loki. Raises: NotConfigured."""
        client = Loki.of(environment)
        return cls(environment, client) if client else None

    async def check(self) -> str:
        """Return how many labels streams have. Raises: Unavailable."""
        return f"Loki, {len(await self._client.labels())} labels"

    async def read(self, need: Need) -> Snapshot:
        """Return templates, errors first. Raises: Unavailable, Refused, Malformed."""
        window = need.window
        labels = await ask(
            Ask(
                source=Source(system="loki", query="labels", window=window),
                call=lambda: self._client.labels(window),
                found=counted("labels"),
                wanted="the labels of streams",
            )
        )
        logql = self._logql(need.services, labels)
        source = Source(
            system="loki", query=logql, window=window, link=self._client.link(logql, window)
        )

        async def fetch(part: Window, baseline: bool) -> Lines:
            own = replace(source, window=part)
            lines, complete = await self._all(logql, part, own)
            entries = await asyncio.to_thread(_entries, lines, baseline=baseline)
            return Lines(entries=entries, complete=complete)

        return await read_templates(self._environment.name, need, source, fetch)

    async def _all(self, logql: str, window: Window, source: Source) -> tuple[list[Line], bool]:
        """Return the newest lines page by page, and whether those are all there are."""
        lines: list[Line] = []
        until = window
        for _ in range(PAGES):
            page = await ask(
                Ask(
                    source=source,
                    call=partial(self._client.lines, logql, until),
                    found=counted("lines"),
                    wanted="log lines",
                )
            )
            lines.extend(page)
            if len(page) < PAGE:
                return lines, True
            oldest = min(line.at for line in page)
            if oldest <= until.start:
                return lines, True
            until = Window(start=window.start, end=oldest)
        return lines, False

    def _logql(self, services: Sequence[str], labels: frozenset[str]) -> str:
        label = next((name for name in SERVICE_LABELS if name in labels), "")
        matchers = []
        if "namespace" in labels:
            matchers.append(f'namespace=~"{"|".join(self._environment.namespaces)}"')
        if services and label:
            matchers.append(f'{label}=~"{"|".join(sorted(services))}"')
        elif not matchers:
            matchers.append(f'{label or "job"}=~".+"')
        selector = "{" + ", ".join(matchers) + "}"
        return selector if services else f"{selector} {TROUBLE}"


def _entries(lines: Sequence[Line], *, baseline: bool) -> tuple[Entry, ...]:
    return tuple(_entry(line, baseline=baseline) for line in lines)


def _entry(line: Line, *, baseline: bool) -> Entry:
    labels = line.labels
    pod = labels.get("pod")
    service = next((labels[name] for name in SERVICE_LABELS if labels.get(name)), "")
    level = next((labels[name].lower() for name in LEVEL_LABELS if labels.get(name)), "")
    return Entry(
        at=line.at,
        text=line.text,
        service=service or (workload_of_pod(pod) if pod else ""),
        pod=pod,
        container=labels.get("container"),
        level={"warn": "warning", "fatal": "error", "critical": "error"}.get(level, level),
        baseline=baseline,
    )
