"""Frozen data survives the way through JSON, and nothing else gets in."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.codec import decode, encode
from bot.domain.errors import Malformed
from bot.domain.snapshot import Series, Signal, Snapshot, Source
from bot.domain.time import Window

NOW = datetime(2026, 1, 2, 3, 4, 5, 678, tzinfo=UTC)


class Colour(StrEnum):
    RED = "red"


@dataclass(frozen=True, kw_only=True)
class Thing:
    name: str
    pair: tuple[int, str]
    many: tuple[float, ...]
    colours: frozenset[Colour]
    at: datetime | None
    either: int | str = 0
    anything: Any = None


THING = Thing(
    name="a", pair=(1, "b"), many=(1.0, 2.5), colours=frozenset({Colour.RED}), at=NOW, either="x",
    anything={"k": [1, None]},
)  # fmt: skip


def through_json(value: Any) -> Any:
    return json.loads(json.dumps(encode(value)))


def test_what_goes_in_comes_out() -> None:
    assert decode(Thing, through_json(THING)) == THING


def test_a_snapshot_survives() -> None:
    source = Source(system="prometheus", query="up", window=Window.last(60, before=NOW))
    series = Series(
        signal=Signal.ERROR_RATIO, service="web", times=(1.0, 2.0), values=(0.0, 0.5), unit="",
        source=source, labels={"pod": "web-1"},
    )  # fmt: skip
    snapshot = Snapshot(
        environment="prod", window=Window.last(60, before=NOW), now=NOW, series=(series,)
    )
    assert decode(Snapshot, through_json(snapshot)) == snapshot


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"name": 1}, r"\$\.name: expected str"),
        ({"pair": [1]}, r"\$\.pair: expected 2 items"),
        ({"many": "abc"}, r"\$\.many: expected a list"),
        ({"many": [True]}, r"\$\.many\[0\]: expected float"),
        ({"colours": ["blue"]}, r"colours\[0\]: 'blue' is not one of"),
        ({"at": "yesterday"}, r"\$\.at: expected an ISO 8601 time"),
        ({"at": "2026-01-01T00:00:00"}, r"\$\.at: time has no zone"),
        ({"extra": 1}, r"\$: unknown extra"),
        ({"either": None}, r"\$\.either: expected a value"),
    ],
)
def test_what_does_not_fit_is_refused_with_its_path(change: dict[str, Any], says: str) -> None:
    with pytest.raises(Malformed, match=says):
        decode(Thing, {**through_json(THING), **change})


def test_a_missing_field_is_named() -> None:
    with pytest.raises(Malformed, match="missing at, missing colours"):
        decode(Thing, {"name": "a", "pair": [1, "b"], "many": []})


@dataclass(frozen=True, slots=True, kw_only=True)
class Tree:
    name: str
    children: "tuple[Tree, ...]" = ()


def test_a_type_may_hold_its_own_kind_and_the_path_leads_into_it() -> None:
    tree = Tree(name="a", children=(Tree(name="b"), Tree(name="c", children=(Tree(name="d"),))))
    said = through_json(tree)
    assert decode(Tree, said) == tree
    said["children"][1]["children"][0]["name"] = 4
    with pytest.raises(Malformed, match=r"\$\.children\[1\]\.children\[0\]\.name: expected str"):
        decode(Tree, said)


def test_only_data_is_encoded() -> None:
    with pytest.raises(TypeError):
        encode(object())


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=20,
    )
)
def test_no_input_breaks_the_decoder(data: Any) -> None:
    try:
        decode(Snapshot, data)
    except Malformed:
        return
    raise AssertionError("that was no snapshot")
