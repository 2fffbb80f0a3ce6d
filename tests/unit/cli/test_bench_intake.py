"""The measurement of the door: every webhook that was answered with success is stored."""

import json

import pytest
from click.testing import CliRunner

from bot.cli.bench_intake import Tally, _figures, _told, intake


def test_what_is_told_follows_from_what_was_measured() -> None:
    tally = Tally()
    for n in range(100):
        tally.add(503 if n == 99 else 202, n / 1000)
    found = _figures(tally, 2.0, 0.5, {"database": "sqlite", "stored": 99, "cpu_s": 1.0})
    assert (found["answered"], found["accepted"], found["per_second"]) == (100, 99, 49.5)
    assert (found["p50_ms"], found["p99_ms"], found["max_ms"]) == (50.0, 98.0, 99.0)
    assert (found["generator_cpu"], found["door_cpu"]) == (0.25, 0.5)
    assert "49.5 webhooks/s committed; 99 accepted of 100 answered, 99 stored" in _told(found)


@pytest.mark.long  # starts a process and sends for seconds
@pytest.mark.parametrize(
    "kind", ["sqlite", pytest.param("postgresql", marks=pytest.mark.integration)]
)
def test_what_is_accepted_is_stored(kind: str, request: pytest.FixtureRequest) -> None:
    url = str(request.getfixturevalue("postgres_url")) if kind == "postgresql" else ""
    options = ["--seconds", "3", "--rate", "60", "--json", "--database-url", url]
    done = CliRunner().invoke(intake, options, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    found = json.loads(done.output)
    assert found["database"] == kind
    assert found["accepted"] == found["answered"] == found["stored"] == 180
    assert set(found["statuses"]) == {"202"}
