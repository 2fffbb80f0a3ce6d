"""What a rule can look at, and which questions a rule answers: read from the schema itself."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

import cedarpy

from bot.domain.errors import Malformed
from policies.expressions import Attribute, Kind

RECORD = re.compile(r"^(?:type|entity) (\w+) = \{(.*?)\};$", re.M | re.S)
FIELD = re.compile(r"^\s*(\w+): (\w+),?$", re.M)
ACTION = re.compile(r'^action "(\w+)"(?: in \[([^]]*)\])?( appliesTo \{)?', re.M)
PARENT = re.compile(r'Action::"(\w+)"')
ROOTS = {"context": "Request", "principal": "Actor", "resource": "Target"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Vocabulary:
    """`attributes` by path ("context.blast.pods"); `groups`: question → itself and its groups."""

    attributes: Mapping[str, Attribute]
    groups: Mapping[str, frozenset[str]]


def vocabulary(schema: cedarpy.Schema) -> Vocabulary:
    """Return a schema's vocabulary. Raises: Malformed: a type outside the subset that is proved."""
    written = str(schema)
    records = {name: dict(FIELD.findall(body)) for name, body in RECORD.findall(written)}
    attributes: dict[str, Attribute] = {}
    for root, record in ROOTS.items():
        _collect(root, record, records, attributes)
    parents = {name: set(PARENT.findall(groups)) for name, groups, _ in ACTION.findall(written)}
    asked = [name for name, _, asks in ACTION.findall(written) if asks]
    return Vocabulary(
        attributes=attributes,
        groups={name: frozenset(_ancestors(name, parents)) for name in asked},
    )


def _collect(
    path: str,
    record: str,
    records: Mapping[str, Mapping[str, str]],
    found: dict[str, Attribute],
) -> None:
    if record not in records:
        raise Malformed(f"policy schema refused: {path}: {record} is outside what is proved")
    for name, kind in records[record].items():
        here = f"{path}.{name}"
        if kind in (Kind.FLAG, Kind.NUMBER, Kind.TEXT):
            found[here] = Attribute(here, Kind(kind))
        else:
            _collect(here, kind, records, found)


def _ancestors(name: str, parents: Mapping[str, set[str]]) -> set[str]:
    found = {name}
    for parent in parents.get(name, ()):
        found |= _ancestors(parent, parents)
    return found
