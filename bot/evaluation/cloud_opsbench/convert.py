"""Reads a Cloud-OpsBench case folder into a case: kubectl text, checks, alerts, logs, metrics.

Nothing of the folder's name, of `metadata.json`, or of which files exist reaches the facts.
Source of the data: Cloud-OpsBench, arXiv 2603.00468.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from bot.domain.errors import Malformed
from bot.domain.needs import Fact, Need
from bot.domain.snapshot import KubernetesObject, Snapshot
from bot.domain.time import Window
from bot.evaluation.cloud_opsbench import facts as cloud_facts
from bot.evaluation.cloud_opsbench.kubectl.objects import Command, kind_of, manifests, parse
from bot.evaluation.cloud_opsbench.manifests import UNDESCRIBED, WORKLOADS, completed
from bot.evaluation.cloud_opsbench.secrecy import Veil
from bot.perception.case import Answer, Case, is_case, load_case

ENVIRONMENT = "recorded"
CACHE = "tool_cache.json"
RAW = "raw_data"
MAX_BYTES = 64 * 1024 * 1024
WINDOW_S = 1800.0
ZONE = timezone(timedelta(hours=8))  # of the recording cluster's clock, as its systemd lines show
KUBECTL = re.compile(r"^kubectl (get|describe) (\S+)(?: (?!-)(\S+))?(.*)$")
NAMESPACE = re.compile(r"(?:^| )-n (\S+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """One recorded kubectl output: the command, its form (plain, wide, labels), and the text."""

    command: Command
    form: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """Everything of a case folder that may be looked at, as it was read."""

    cache: Mapping[str, Any]
    states: Mapping[str, Any]
    alerts: Any
    logs: Mapping[str, Any]
    metrics: str
    salt: bytes


def is_folder(directory: Path) -> bool:
    """Say whether a folder looks like a Cloud-OpsBench case."""
    return (directory / CACHE).is_file() or (directory / RAW).is_dir()


def load_any(directory: Path) -> Case:
    """Return the case of a folder of either format. Raises: Malformed."""
    if is_case(directory):
        return load_case(directory)
    if is_folder(directory):
        return convert(directory)
    raise Malformed(f"{directory}: neither a case (case.json) nor a {CACHE} in it")


def convert(directory: Path) -> Case:
    """Return a Cloud-OpsBench folder as a case, one answer per kind of fact. Raises: Malformed."""
    facts = load_snapshot(directory)
    empty = Snapshot(environment=facts.environment, window=facts.window, now=facts.now)
    answers = []
    for fact in Fact:
        part = replace(empty, looked_at=(fact.value,), **_part(facts, fact))
        answers.append(Answer(need=Need(fact=fact, window=facts.window), facts=part, took_s=0.0))
    return Case(
        environment=facts.environment,
        question=None,
        window=facts.window,
        now=facts.now,
        tool="cloud-opsbench",
        answers=tuple(answers),
    )


def load_snapshot(directory: Path) -> Snapshot:
    """Return all facts of a case folder. Raises: Malformed."""
    recording = _read(directory)
    now = _now(recording)
    veil = Veil(recording.salt)
    window = Window.last(WINDOW_S, before=now)
    return Snapshot(
        environment=ENVIRONMENT,
        window=window,
        now=now,
        objects=tuple(_objects(recording, now, veil)),
        series=cloud_facts.series(recording.metrics, ZONE, until=_alarm_end(recording)),
        logs=cloud_facts.logs(_calls(recording, "GetErrorLogs"), recording.logs, veil),
        edges=cloud_facts.edges(_calls(recording, "GetServiceDependencies")),
        probes=cloud_facts.probes(_calls(recording, "CheckServiceConnectivity")),
        components=cloud_facts.components(_calls(recording, "CheckNodeServiceStatus"), veil),
        alerts=cloud_facts.alerts(recording.alerts, ZONE),
    )


def _part(facts: Snapshot, fact: Fact) -> dict[str, Any]:
    name = {Fact.SPANS: "spans", Fact.COMPONENTS: "components"}.get(fact, fact.value)
    return {name: getattr(facts, name)}


def _read(directory: Path) -> Recording:
    raw = directory / RAW
    cache_text = _text(directory / CACHE)
    cache = _json(cache_text, CACHE)
    states = _json(_text(raw / "k8s_states.json"), "k8s_states.json")
    logs = _json(_text(raw / "logs.json"), "logs.json")
    alerts = _json(_text(raw / "alert.json"), "alert.json")
    if not cache and not states:
        raise Malformed(f"{directory}: no recorded output in it")
    return Recording(
        cache=cache if isinstance(cache, dict) else {},
        states=states if isinstance(states, dict) else {},
        alerts=alerts,
        logs=logs if isinstance(logs, dict) else {},
        metrics=_text(raw / "metrics.csv"),
        salt=hashlib.sha256(cache_text.encode()).digest(),
    )


def _text(path: Path) -> str:
    if not path.is_file():
        return ""
    if path.stat().st_size > MAX_BYTES:
        raise Malformed(f"{path.name}: larger than {MAX_BYTES // 1024 // 1024} MiB")
    return path.read_text(encoding="utf-8-sig", errors="replace")


def _json(text: str, name: str) -> Any:
    try:
        return json.loads(text) if text.strip() else {}
    except (ValueError, RecursionError) as error:
        raise Malformed(f"{name}: not JSON: {str(error)[:120]}") from error


def _now(recording: Recording) -> datetime:
    stamp = recording.cache.get("collection_timestamp")
    try:
        found = datetime.fromisoformat(str(stamp))
    except ValueError:
        found = datetime(2026, 1, 1, tzinfo=ZONE)  # nothing depends on it but ages
    return found if found.tzinfo else found.replace(tzinfo=ZONE)


def _alarm_end(recording: Recording) -> datetime | None:
    """Return when the alerts were last seen firing: an asker then sees nothing of later."""
    return cloud_facts.last_firing(recording.alerts, ZONE)


def _calls(recording: Recording, function: str) -> Iterator[tuple[Mapping[str, Any], Any]]:
    """Yield arguments and answer of each recorded call of a tool; malformed keys are skipped."""
    for key, answer in recording.cache.items():
        name, _, text = key.partition(":")
        if name != function or not text:
            continue
        try:
            arguments = json.loads(text)
        except ValueError:
            continue
        if isinstance(arguments, dict):
            yield arguments, answer


def _outputs(recording: Recording) -> Iterator[Output]:
    for verb, function in (("get", "GetResources"), ("describe", "DescribeResource")):
        for arguments, text in _calls(recording, function):
            if isinstance(text, str) and (output := _cached(verb, arguments, text)):
                yield output
    for line, text in recording.states.items():
        if isinstance(text, str) and (output := _stated(line, text)):
            yield output


def _cached(verb: str, arguments: Mapping[str, Any], text: str) -> Output | None:
    if arguments.get("label_selector"):
        return None
    command = Command(
        verb=verb,
        kind=kind_of(str(arguments.get("resource_type", ""))),
        name=str(arguments.get("name") or ""),
        namespace=str(arguments.get("namespace") or ""),
    )
    wide, labels = arguments.get("output_wide"), arguments.get("show_labels")
    return Output(command=command, form="wide" if wide else "labels" if labels else "", text=text)


def _stated(line: str, text: str) -> Output | None:
    match = KUBECTL.match(line)
    if not match or " -l " in line:
        return None
    namespace = NAMESPACE.search(match[4])
    command = Command(
        verb=match[1],
        kind=kind_of(match[2]),
        name=match[3] or "",
        namespace=namespace[1] if namespace else "",
    )
    form = "wide" if "-o wide" in line else "labels" if "--show-labels" in line else ""
    return Output(command=command, form=form, text=text)


def _objects(recording: Recording, now: datetime, veil: Veil) -> Iterator[KubernetesObject]:
    outputs = list(_unique(_outputs(recording)))
    described = [o for o in outputs if o.command.verb == "describe"]
    secrets = [o for o in outputs if o.command.kind in ("Secret", "ConfigMap") and o.command.name]
    yamls = [o for o in secrets if o.text.startswith("apiVersion:")]
    listed = [o for o in outputs if o.command.verb == "get" and not o.command.name]
    found: dict[tuple[str, str, str], KubernetesObject] = {}
    for output in [*yamls, *described, *_richest_last(listed)]:
        for item in parse(output.command, output.text, now):
            key = (item.kind, item.namespace, item.name)
            if item.kind == "Event":
                key = ("Event", item.namespace, _said(item))
            found.setdefault(key, item)
    wanted = _manifests(recording, outputs)
    for item in found.values():
        body = completed(item.body, wanted.get((item.kind, item.name)))
        yield replace(item, body=veil.body(body))


def _said(event: KubernetesObject) -> str:
    involved = event.body["involvedObject"]
    return f"{involved['kind']}/{involved['name']} {event.body['reason']} {event.body['message']}"


def _unique(outputs: Iterable[Output]) -> Iterator[Output]:
    """Yield each command's output once; the tool cache and the raw outputs repeat one another."""
    seen: set[tuple[str, str, str, str, str]] = set()
    for output in outputs:
        command = output.command
        key = (command.verb, command.kind, command.name, command.namespace, output.form)
        if key not in seen:
            seen.add(key)
            yield output


def _richest_last(listed: Iterable[Output]) -> list[Output]:
    order = {"wide": 0, "labels": 1, "": 2}
    return sorted(listed, key=lambda output: order[output.form])


def _telling_yaml(outputs: Iterable[Output]) -> Iterator[str]:
    """Yield the live YAML of workloads that hold what `kubectl describe` does not print."""
    for output in outputs:
        live = output.text.startswith("apiVersion:") and output.command.kind in WORKLOADS
        if live and UNDESCRIBED.search(output.text):
            yield output.text


def _manifests(
    recording: Recording, outputs: Iterable[Output]
) -> dict[tuple[str, str], dict[str, Any]]:
    """Return what was applied, by kind and name: it says what `kubectl describe` leaves out."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    applied = (text for _, text in _calls(recording, "GetAppYAML") if isinstance(text, str))
    for text in (*_telling_yaml(outputs), *applied):
        try:
            documents = manifests(text)
        except Malformed:
            continue
        for document in documents:
            key = (str(document.get("kind")), str(document["metadata"].get("name")))
            found.setdefault(key, document)
    return found
