"""`sre-bot ask` on a recorded case: exit codes, words, and exactly the documented JSON."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from bot.domain.needs import Fact, Need
from bot.domain.redaction import redact
from bot.domain.snapshot import ChangeKind, Signal, Snapshot
from bot.perception.case import Answer, Case, save_case
from tests.unit.cli.conftest import Run
from tests.unit.reasoning.scenes import NOW, Scene, ask, values

DOCUMENTED = Path(__file__).parents[3] / "docs" / "answer.md"
SOURCED = {"system", "query", "window", "link"}
EVIDENCE = {"number", "statement", "supports", "weight"} | SOURCED


def saved(directory: Path, snapshot: Snapshot, *services: str) -> Path:
    """Save the scene as a case: one answer a kind of fact."""
    answers = []
    empty = Snapshot(environment="prod", window=snapshot.window, now=snapshot.now)
    for fact in (Fact.OBJECTS, Fact.SERIES, Fact.LOGS, Fact.EDGES, Fact.CHANGES):
        part = empty.merge(
            Snapshot(
                environment="prod", window=snapshot.window, now=snapshot.now,
                looked_at=(fact.value,), **{fact.value: getattr(snapshot, fact.value)},
            )
        )  # fmt: skip
        answers.append(Answer(need=Need(fact=fact, window=snapshot.window), facts=part, took_s=0.1))
    case = Case(
        environment="prod", question=ask(*services), window=snapshot.window, now=NOW,
        tool="a test", answers=tuple(answers),
    )  # fmt: skip
    save_case(directory, case, redact=redact)
    return directory


@pytest.fixture
def broken(tmp_path: Path) -> str:
    """Errors since a flag of the same service was turned on."""
    scene = Scene().service("checkout", errors=values(0.001, 0.3)).service("payment")
    scene.change(
        ChangeKind.FLAG, "checkout", 99, before="off", after="on", object_="flag/new-ranking"
    )
    return str(saved(tmp_path / "broken", scene.snapshot(), "checkout"))


@pytest.fixture
def well(tmp_path: Path) -> str:
    scene = Scene().service("checkout").service("payment")
    return str(saved(tmp_path / "well", scene.snapshot(), "checkout"))


@pytest.fixture
def dark(tmp_path: Path) -> str:
    """Nothing but one unspecific symptom."""
    scene = Scene()
    scene.add(Signal.LATENCY_P99, "checkout", values(0.2, 4.0), "s")
    return str(saved(tmp_path / "dark", scene.snapshot(), "checkout"))


def test_a_root_cause_ends_with_0_and_is_said_first(sre_bot: Run, broken: str) -> None:
    said = sre_bot("ask", "--case", broken)
    assert said.code == 0
    assert "root cause found" in said.out.splitlines()[0]


def test_healthy_ends_with_0(sre_bot: Run, well: str) -> None:
    said = sre_bot("ask", "--case", well)
    assert (said.code, "healthy" in said.out.splitlines()[0]) == (0, True), said.out


def test_unknown_ends_with_3_and_says_what_could_not_be_seen(sre_bot: Run, dark: str) -> None:
    said = sre_bot("ask", "--case", dark)
    assert said.code == 3, said.out
    assert "unknown" in said.out.splitlines()[0]


def test_a_folder_that_is_no_case_is_a_failure(sre_bot: Run, tmp_path: Path) -> None:
    said = sre_bot("ask", "--case", str(tmp_path))
    assert said.code == 1
    assert "case.json" in said.err


def test_a_damaged_case_is_a_failure_that_names_the_file(sre_bot: Run, broken: str) -> None:
    output = next((Path(broken) / "outputs").iterdir())
    output.write_text("{}", encoding="utf-8")
    said = sre_bot("ask", "--case", broken)
    assert said.code == 1
    assert output.name in said.err


def test_a_case_brings_its_own_environment(sre_bot: Run, broken: str) -> None:
    assert sre_bot("ask", "--case", broken, "--env", "prod").code == 2
    assert sre_bot("ask", "--case", broken, "--sandbox", "bad-flag").code == 2


def test_without_environments_the_way_out_is_said(sre_bot: Run) -> None:
    said = sre_bot("ask", "why is checkout slow")
    assert said.code == 2
    assert "SRE_BOT_ENVIRONMENTS" in said.err


def test_an_environment_that_does_not_exist_is_said_so(
    sre_bot: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "environments.yaml"
    file.write_text("environments: [{name: prod, tier: production, namespaces: [shop]}]")
    monkeypatch.setenv("SRE_BOT_ENVIRONMENTS", str(file))
    said = sre_bot("ask", "why is checkout slow", "--env", "prud")
    assert said.code == 1
    assert "prud" in said.err
    assert "prod" in said.err


def test_the_same_case_gives_the_same_answer_twice(sre_bot: Run, broken: str) -> None:
    assert sre_bot("ask", "--case", broken, "--json") == sre_bot("ask", "--case", broken, "--json")


@pytest.mark.parametrize("kind", ["broken", "well", "dark"])
def test_the_json_has_exactly_the_documented_fields(
    sre_bot: Run, kind: str, request: pytest.FixtureRequest
) -> None:
    said = sre_bot("ask", "--case", request.getfixturevalue(kind), "--json")
    answer: dict[str, Any] = json.loads(said.out)
    assert set(answer) == documented()
    assert set(answer["window"]) == {"start", "end"}
    assert set(answer["diagnosis"]) == {
        "status", "cause", "object", "confidence", "summary", "onset", "causes",
    }  # fmt: skip
    assert answer["diagnosis"]["status"] in ("root_cause", "healthy", "unknown")
    assert 0 <= answer["diagnosis"]["confidence"] <= 1
    each(answer["hypotheses"], {
        "cause", "object", "service", "confidence", "summary", "analyzer", "evidence",
    })  # fmt: skip
    each(answer["evidence"], EVIDENCE)
    each(answer["ruled_out"], {"what", "why", "source"})
    each(answer["blind_spots"], {"system", "reason", "wanted"})
    each(answer["proposals"], {
        "title", "reason", "action", "environment", "arguments", "trade_off", "runbook", "warnings",
        "short_term", "lasting_fix",
    })  # fmt: skip
    assert set(answer["budget"]) == {"seconds", "queries", "tokens", "money_usd"}
    assert set(answer["timings"]) == {"seconds", "steps"}


def test_the_json_names_cause_and_object(sre_bot: Run, broken: str) -> None:
    answer = json.loads(sre_bot("ask", "--case", broken, "--json").out)
    diagnosis = answer["diagnosis"]
    assert (diagnosis["cause"], diagnosis["object"]) == ("bad_feature_flag", "flag/new-ranking")


def each(rows: list[dict[str, Any]], fields: set[str]) -> None:
    for row in rows:
        assert set(row) == fields


def documented() -> set[str]:
    """Return the fields of the first column of docs/answer.md's table."""
    names: set[str] = set()
    for line in DOCUMENTED.read_text(encoding="utf-8").splitlines():
        if line.startswith("| `"):
            names |= set(re.findall(r"`(\w+)`", line.split("|")[1]))
    return names
