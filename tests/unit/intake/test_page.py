"""docs/intake.md says what the door does."""

import json
import re
from pathlib import Path

from bot.domain.signal import Phase, Severity
from bot.intake import generic
from bot.intake.places import LABELS, Places
from tests.unit.intake.doorway import NOW, PLACES

PAGE = (Path(__file__).parents[3] / "docs" / "intake.md").read_text(encoding="utf-8")
EXAMPLE = json.loads(re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)[0])


def test_the_example_is_taken_as_it_stands() -> None:
    (signal,) = generic.signals_of(EXAMPLE, "", NOW, Places(PLACES))
    assert (signal.key, signal.subject) == (
        "webhook:queue-orders-17:firing",
        "webhook:queue-orders",
    )
    assert (signal.severity, signal.services) == (Severity.HIGH, ("orders",))


def test_it_names_every_field_and_every_value() -> None:
    table = PAGE.split("| field |")[1].split("## Answers")[0]
    named = set(re.findall(r"`([a-z_]+)`", table.replace("`at`, `began`", "`at` `began`")))
    assert set(generic._FIELDS.split()) <= named
    assert set(EXAMPLE) == set(generic._FIELDS.split())
    assert {p.value for p in Phase} | {s.name.lower() for s in Severity} <= named


def test_it_names_the_labels_that_tell_an_environment() -> None:
    assert all(f"`{label}`" in PAGE for label in LABELS)
