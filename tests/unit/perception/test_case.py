"""Recorded cases: saved redacted, loaded strictly, replayed through the collect port."""

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.domain.errors import Malformed
from bot.domain.needs import Fact, Need
from bot.perception.case import Answer, Case, is_case, load_case, save_case
from tests.fakes.cluster import NOW, WINDOW, deployment, log, question, snapshot

OBJECTS = Need(fact=Fact.OBJECTS, window=WINDOW)
LOGS = Need(fact=Fact.LOGS, window=WINDOW, services=("cart",))
TRACES = Need(fact=Fact.SPANS, window=WINDOW, reason="traces of cart")


def case() -> Case:
    return Case(
        environment="prod",
        question=question(),
        window=WINDOW,
        now=NOW,
        tool="sre-bot 0.1.0",
        answers=(
            Answer(need=OBJECTS, facts=snapshot(deployment("cart")), took_s=0.1),
            Answer(need=LOGS, facts=snapshot(logs=(log("cart", "password=hunter2"),)), took_s=0.2),
            Answer(need=TRACES, facts=None, took_s=5.0, error="timed out after 5 s"),
        ),
    )


def hide(text: str) -> str:
    return text.replace("hunter2", "***")


def saved(directory: Path) -> Path:
    save_case(directory, case(), redact=hide)
    return directory


def test_a_saved_case_is_loaded_as_it_was_but_redacted(tmp_path: Path) -> None:
    found = load_case(saved(tmp_path / "c"))
    assert found.question == question()
    assert found.snapshot().objects == case().snapshot().objects
    assert found.snapshot().logs[0].example == "password=***"
    texts = [path.read_text() for path in (tmp_path / "c").rglob("*.json")]
    assert not any("hunter2" in text for text in texts)


def test_saving_twice_gives_the_same_bytes(tmp_path: Path) -> None:
    first, second = saved(tmp_path / "a"), saved(tmp_path / "b")
    names = sorted(p.relative_to(first) for p in first.rglob("*.json"))
    assert [(first / n).read_bytes() for n in names] == [(second / n).read_bytes() for n in names]


def test_a_folder_that_is_not_empty_is_not_written_to(tmp_path: Path) -> None:
    with pytest.raises(Malformed, match="empty folder"):
        save_case(saved(tmp_path / "c"), case(), redact=hide)


def test_what_was_recorded_for_everything_answers_a_narrower_need(tmp_path: Path) -> None:
    assert is_case(saved(tmp_path))
    assert not is_case(tmp_path / "nothing")
    narrow = Need(fact=Fact.OBJECTS, window=WINDOW, services=("cart",), names=("Deployment",))
    assert load_case(tmp_path).snapshot().objects[0].name == "cart"
    assert narrow.services == ("cart",)


async def test_needs_are_answered_once_and_failures_become_blind_spots() -> None:
    recorded = case()
    first = await recorded.collect([OBJECTS, TRACES])
    again = await recorded.collect([OBJECTS])
    assert [o.name for o in first.objects] == ["cart"]
    assert first.blind_spots[0].reason == "timed out after 5 s"
    assert again.objects == ()
    assert [o.name for o in (await recorded.replay().collect([OBJECTS])).objects] == ["cart"]


async def test_what_was_not_recorded_is_a_blind_spot() -> None:
    found = await case().collect([Need(fact=Fact.PROBES, window=WINDOW, reason="checks")])
    assert found.blind_spots[0].wanted == "checks"
    assert "not recorded" in found.blind_spots[0].reason


async def test_logs_of_another_service_answer_nothing() -> None:
    found = await case().collect([replace(LOGS, services=("payment",))])
    assert found.logs == ()


def edited(directory: Path, **fields: Any) -> None:
    path = directory / "case.json"
    data = {**json.loads(path.read_text()), **fields}
    path.write_text(json.dumps(data))


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"format": 2}, "format 2"),
        ({"surprise": 1}, "unknown surprise"),
        ({"now": "yesterday"}, "ISO 8601"),
        ({"window": None}, "window"),
        ({"index": "x"}, "index"),
    ],
)
def test_a_damaged_index_names_what_is_wrong(
    tmp_path: Path, fields: dict[str, Any], said: str
) -> None:
    edited(saved(tmp_path), **fields)
    with pytest.raises(Malformed, match=said):
        load_case(tmp_path)


def test_a_missing_folder_file_or_output_is_said(tmp_path: Path) -> None:
    with pytest.raises(Malformed, match="no such folder"):
        load_case(tmp_path / "nothing")
    with pytest.raises(Malformed, match=r"case\.json"):
        load_case(tmp_path)
    output = next((saved(tmp_path / "c") / "outputs").iterdir())
    output.unlink()
    with pytest.raises(Malformed, match="No such file"):
        load_case(tmp_path / "c")


def test_a_changed_output_is_refused(tmp_path: Path) -> None:
    output = next((saved(tmp_path) / "outputs").iterdir())
    output.write_text(output.read_text() + " ")
    with pytest.raises(Malformed, match="does not fit its name"):
        load_case(tmp_path)


@pytest.mark.parametrize(
    "content", ["../../etc/passwd", "/etc/passwd", "a" * 63, "A" * 64, "x/../y"]
)
def test_a_content_that_is_no_hash_is_refused(tmp_path: Path, content: str) -> None:
    saved(tmp_path)
    index = json.loads((tmp_path / "case.json").read_text())["index"]
    index[0]["content"] = content
    edited(tmp_path, index=index)
    with pytest.raises(Malformed, match="not a SHA-256"):
        load_case(tmp_path)


def test_a_link_out_of_the_case_is_refused(tmp_path: Path) -> None:
    output = next((saved(tmp_path / "c") / "outputs").iterdir())
    outside = tmp_path / "outside.json"
    outside.write_bytes(output.read_bytes())
    output.unlink()
    output.symlink_to(outside)
    with pytest.raises(Malformed):
        load_case(tmp_path / "c")


def test_a_pipe_does_not_hang_and_a_huge_file_is_refused(tmp_path: Path) -> None:
    saved(tmp_path)
    (tmp_path / "case.json").unlink()
    os.mkfifo(tmp_path / "case.json")
    with pytest.raises(Malformed):
        load_case(tmp_path)
    (tmp_path / "case.json").unlink()
    with (tmp_path / "case.json").open("wb") as file:
        file.truncate(5 * 1024 * 1024)
    with pytest.raises(Malformed, match="larger than 4 MiB"):
        load_case(tmp_path)


def test_text_that_is_no_json_or_too_deep_is_refused(tmp_path: Path) -> None:
    for text in ("{", "\xff", "[" * 100_000, "null", "[]", ""):
        (tmp_path / "case.json").write_text(text)
        with pytest.raises(Malformed):
            load_case(tmp_path)
