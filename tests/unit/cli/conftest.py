"""The command line in this process, on a database and with an environment of its own."""

import logging
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from bot.cli import main


@dataclass(frozen=True)
class Said:
    """How a command ended and what it printed."""

    code: int
    out: str
    err: str


Run = Callable[..., Said]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Forget the settings of whoever runs the tests."""
    for name in os.environ:
        if name.startswith("SRE_BOT_") or name == "DATABASE_URL":
            monkeypatch.delenv(name)
    monkeypatch.setenv("SRE_BOT_HOME", str(tmp_path))
    return tmp_path


@pytest.fixture
def sre_bot(home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Return a function that runs `sre-bot …` as a shell would."""

    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level

    def run(*arguments: str) -> Said:
        monkeypatch.setattr(sys, "argv", ["sre-bot", *arguments])
        code: object = 0
        try:
            main()
        except SystemExit as end:
            code = end.code
        finally:
            root.handlers, root.level = list(handlers), level  # `run` sends logs to standard error
        printed = capsys.readouterr()
        assert "Traceback" not in printed.out + printed.err
        return Said(int(str(code or 0)), printed.out, printed.err)

    return run
