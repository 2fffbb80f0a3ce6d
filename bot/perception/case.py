"""A recorded case: one investigation's facts in a folder, saved redacted and loaded strictly.

The format is documented in docs/cases.md.
"""

import hashlib
import json
import os
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from bot.domain.codec import decode, encode
from bot.domain.diagnosis import Question
from bot.domain.errors import Malformed
from bot.domain.needs import Need
from bot.domain.snapshot import FACTS, BlindSpot, Snapshot
from bot.domain.time import Window

FORMAT = 1
INDEX = "case.json"
OUTPUTS = "outputs"
DIGEST = re.compile(r"^[0-9a-f]{64}$")
MAX_INDEX_BYTES = 4 * 1024 * 1024
MAX_OUTPUT_BYTES = 64 * 1024 * 1024
MAX_ENTRIES = 5000
MAX_DEPTH_ERROR = "nested too deeply"

Redact = Callable[[str], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """What one need was answered with: an encoded partial snapshot's SHA-256, or an error."""

    need: Need
    content: str  # SHA-256 of the output's bytes, "" where there is an error
    took_s: float
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One need with the facts that answered it, or the error, before it is saved."""

    need: Need
    facts: Snapshot | None
    took_s: float
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """`case.json`: when, where and with what the case was recorded, and what was asked of whom."""

    format: int
    environment: str
    question: Question | None
    window: Window
    now: datetime
    tool: str  # what recorded it: "sre-bot 0.1.0"
    index: tuple[Recorded, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A loaded case. `collect` is a `Collect` port; each output is handed out once per `Case`."""

    environment: str
    question: Question | None
    window: Window
    now: datetime
    tool: str
    answers: tuple[Answer, ...]
    _served: set[int] = field(default_factory=set, compare=False, repr=False)

    def replay(self) -> "Case":
        """Return the same case with nothing handed out yet: one for each investigation."""
        return replace(self, _served=set())

    def snapshot(self) -> Snapshot:
        """Return everything that was recorded, in one snapshot."""
        return self._merged(self.answers)

    async def collect(self, needs: Sequence[Need]) -> Snapshot:
        """Return the recorded facts that answer the needs, a blind spot for each unknown fact."""
        found: list[Answer] = []
        missing: list[BlindSpot] = []
        for need in needs:
            fitting = [i for i, answer in enumerate(self.answers) if _answers(answer.need, need)]
            exact = [i for i in fitting if _same(self.answers[i].need, need)]
            for i in exact or fitting:
                if i not in self._served:
                    self._served.add(i)
                    found.append(self.answers[i])
            if not fitting:
                missing.append(_not_recorded(need))
        merged = self._merged(found)
        return replace(merged, blind_spots=merged.blind_spots + tuple(dict.fromkeys(missing)))

    def _merged(self, answers: Iterable[Answer]) -> Snapshot:
        merged = Snapshot(environment=self.environment, window=self.window, now=self.now)
        for answer in answers:
            merged = merged.merge(answer.facts or _failed(answer, merged))
        return merged


def save_case(directory: Path, case: Case, *, redact: Redact) -> None:
    """Write a case into an empty folder, every text through `redact`. Raises: Malformed."""
    if directory.exists() and any(directory.iterdir()):
        raise Malformed(f"{directory}: a case is saved into an empty folder")
    (directory / OUTPUTS).mkdir(parents=True, exist_ok=True)
    index = [_save_answer(directory / OUTPUTS, answer, redact) for answer in case.answers]
    header = Header(
        format=FORMAT,
        environment=case.environment,
        question=case.question,
        window=case.window,
        now=case.now,
        tool=case.tool,
        index=tuple(index),
    )
    text = json.dumps(_redacted(encode(header), redact), indent=1, sort_keys=True)
    (directory / INDEX).write_text(text + "\n", encoding="utf-8")


def load_case(directory: Path) -> Case:
    """Return the case of a folder. Raises: Malformed: names the file and what is wrong in it."""
    header = _header(directory)
    answers = tuple(_load_answer(directory, entry) for entry in header.index)
    return Case(
        environment=header.environment,
        question=header.question,
        window=header.window,
        now=header.now,
        tool=header.tool,
        answers=answers,
    )


def is_case(directory: Path) -> bool:
    """Say whether a folder claims to be a recorded case."""
    return (directory / INDEX).is_file()


def _header(directory: Path) -> Header:
    if not directory.is_dir():
        raise Malformed(f"{directory}: no such folder")
    data = _read_json(directory / INDEX, MAX_INDEX_BYTES)
    if isinstance(data, dict) and data.get("format") != FORMAT:
        raise Malformed(f"{INDEX}: format {data.get('format')!r}, this program reads {FORMAT}")
    if isinstance(data, dict) and len(data.get("index") or ()) > MAX_ENTRIES:
        raise Malformed(f"{INDEX}: more than {MAX_ENTRIES} recorded needs")
    return decode(Header, data, INDEX)


def _load_answer(directory: Path, entry: Recorded) -> Answer:
    if entry.error:
        return Answer(need=entry.need, facts=None, took_s=entry.took_s, error=entry.error)
    if not DIGEST.match(entry.content):
        raise Malformed(f"{INDEX}: {entry.content[:80]!r} is not a SHA-256")
    path = directory / OUTPUTS / f"{entry.content}.json"
    raw = _read(path, MAX_OUTPUT_BYTES)
    if hashlib.sha256(raw).hexdigest() != entry.content:
        raise Malformed(f"{OUTPUTS}/{path.name}: the content does not fit its name")
    facts = decode(Snapshot, _parse(raw, path), f"{OUTPUTS}/{path.name[:8]}")
    return Answer(need=entry.need, facts=facts, took_s=entry.took_s)


def _save_answer(directory: Path, answer: Answer, redact: Redact) -> Recorded:
    if answer.facts is None:
        error = redact(answer.error) or "no answer"
        return Recorded(need=answer.need, content="", took_s=answer.took_s, error=error)
    data = _redacted(encode(answer.facts), redact)
    raw = json.dumps(data, sort_keys=True, separators=(",", ":")).encode()
    digest = hashlib.sha256(raw).hexdigest()
    (directory / f"{digest}.json").write_bytes(raw)
    return Recorded(need=answer.need, content=digest, took_s=answer.took_s)


def _read_json(path: Path, limit: int) -> Any:
    return _parse(_read(path, limit), path)


def _read(path: Path, limit: int) -> bytes:
    """Read a regular file inside the case; a link that leads out of it is refused."""
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    try:
        with open(os.open(path, flags), "rb") as file:  # noqa: PTH123 - a descriptor, not a path
            raw = file.read(limit + 1)
    except OSError as error:
        raise Malformed(f"{path.name}: {error.strerror or error}") from error
    if len(raw) > limit:
        raise Malformed(f"{path.name}: larger than {limit // 1024 // 1024} MiB")
    return raw


def _parse(raw: bytes, path: Path) -> Any:
    try:
        return json.loads(raw)
    except RecursionError as error:
        raise Malformed(f"{path.name}: {MAX_DEPTH_ERROR}") from error
    except ValueError as error:
        raise Malformed(f"{path.name}: not JSON: {str(error)[:120]}") from error


def _redacted(data: Any, redact: Redact) -> Any:
    if isinstance(data, str):
        return redact(data)
    if isinstance(data, dict):
        return {key: _redacted(value, redact) for key, value in data.items()}
    if isinstance(data, list):
        return [_redacted(value, redact) for value in data]
    return data


def _same(recorded: Need, asked: Need) -> bool:
    return replace(recorded, reason="") == replace(asked, reason="")


def _answers(recorded: Need, asked: Need) -> bool:
    """Whether what was recorded for one need answers another: same fact, and names that meet."""
    return (
        recorded.fact == asked.fact
        and _meet(recorded.services, asked.services)
        and _meet(recorded.names, asked.names)
    )


def _meet(recorded: tuple[str, ...], asked: tuple[str, ...]) -> bool:
    return not recorded or not asked or not set(recorded).isdisjoint(asked)


def _not_recorded(need: Need) -> BlindSpot:
    wanted = need.reason or ", ".join((need.fact.value, *need.services))
    return BlindSpot(system=need.fact.value, reason="not recorded in this case", wanted=wanted)


def _failed(answer: Answer, like: Snapshot) -> Snapshot:
    spot = BlindSpot(
        system=answer.need.fact.value,
        reason=answer.error or "no answer",
        wanted=answer.need.reason or answer.need.fact.value,
    )
    nothing: dict[str, Any] = dict.fromkeys(FACTS, ())
    return replace(like, **{**nothing, "blind_spots": (spot,)})
