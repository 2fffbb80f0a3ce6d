"""The hand behind the scenes tells what is true while another request changes it."""

from dataclasses import asdict
from types import SimpleNamespace
from typing import Any

import pytest

from bot.sandbox.world import catalog, control


def test_the_truths_are_told_while_an_incident_is_started(monkeypatch: pytest.MonkeyPatch) -> None:
    found = catalog.truth("bad-flag", 1)
    world: Any = SimpleNamespace(truths={"prod": found})

    def meanwhile(truth: Any) -> Any:
        world.truths["staging"] = found
        return asdict(truth)

    monkeypatch.setattr(control, "asdict", meanwhile)
    asked: Any = SimpleNamespace(query={})

    assert control._truth(world, asked) == {"truth": {"prod": asdict(found)}}
