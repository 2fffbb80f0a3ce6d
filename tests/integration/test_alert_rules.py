"""The alert rules about the bot: promtool's own unit tests, and no metric that the bot has not."""

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.app.metrics import Metrics, tallied
from tests.unit.app.test_selfwatch import QUIET

pytestmark = pytest.mark.integration

ROOT = Path(__file__).resolve().parents[2]
RULES = ROOT / "deploy" / "alerts" / "sre-bot.rules.yaml"
TEST = Path(__file__).parent / "alerts" / "sre-bot.test.yaml"


def rules() -> list[dict[str, Any]]:
    (group,) = yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"]
    return list(group["rules"])


def test_promtool_finds_the_rules_right(prometheus_program: str, tmp_path: Path) -> None:
    promtool = str(Path(prometheus_program).with_name("promtool"))
    for file in (RULES, TEST):
        shutil.copy(file, tmp_path)
    for command in (["check", "rules", RULES.name], ["test", "rules", TEST.name]):
        run = subprocess.run(
            [promtool, *command], cwd=tmp_path, capture_output=True, text=True, timeout=60
        )
        assert run.returncode == 0, run.stdout + run.stderr


def test_every_rule_looks_at_what_the_bot_really_shows() -> None:
    metrics = Metrics(version="1")
    metrics.beside("door", os.getpid())
    shown = metrics.text(tallied(QUIET, unfinished=0)).decode()
    names = set(re.findall(r"^# TYPE (\S+) ", shown, re.M))
    for rule in rules():
        for name in re.findall(r"\b(?:sre_bot|process)_[a-z_]+", rule["expr"]):
            assert name.removesuffix("_bucket") in names, f"{rule['alert']} looks at {name}"


def test_every_rule_says_what_to_do_and_how_bad_it_is() -> None:
    for rule in rules():
        assert rule["labels"]["severity"] in {"critical", "warning", "info", "none"}
        assert rule["annotations"]["summary"]
        assert rule["annotations"]["description"]


def test_every_rule_has_a_case_in_which_it_fires() -> None:
    tested = TEST.read_text(encoding="utf-8")
    for rule in rules():
        assert rule["alert"] in tested
