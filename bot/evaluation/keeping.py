"""A case and the answer it was given, in one folder: what a later version is compared with."""

import json
from pathlib import Path
from typing import Any

from bot.domain.errors import Malformed
from bot.domain.redaction import redact
from bot.perception.case import Case, save_case

ANSWER = "answer.json"
MAX_BYTES = 16 * 1024 * 1024


def vacant(directory: Path) -> None:
    """Make sure that a case can be saved there. Raises: Malformed: says what is in the way."""
    if directory.exists() and (not directory.is_dir() or any(directory.iterdir())):
        raise Malformed(f"{directory}: is not empty; a case is saved into an empty folder")


def keep(directory: Path, case: Case, answer: dict[str, Any]) -> None:
    """Save a case, every text redacted, with its answer beside it. Raises: Malformed."""
    save_case(directory, case, redact=redact)
    text = json.dumps(_redacted(answer), indent=1, sort_keys=True)
    (directory / ANSWER).write_text(text + "\n", encoding="utf-8")


def answer_of(path: Path) -> dict[str, Any] | None:
    """Return the answer in a file, or beside a case; None if a case has none. Raises: Malformed."""
    file = path / ANSWER if path.is_dir() else path
    if path.is_dir() and not file.is_file():
        return None
    try:
        if file.stat().st_size > MAX_BYTES:
            raise Malformed(f"{file}: larger than {MAX_BYTES // 1024 // 1024} MiB")
        data = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise Malformed(f"{file}: {error.strerror or error}") from error
    except (ValueError, RecursionError) as error:
        raise Malformed(f"{file}: not an answer: {str(error)[:120]}") from error
    if not isinstance(data, dict) or not isinstance(data.get("diagnosis"), dict):
        raise Malformed(f"{file}: not an answer as `sre-bot ask --json` prints it")
    return data


def _redacted(data: Any) -> Any:
    if isinstance(data, str):
        return redact(data)
    if isinstance(data, dict):
        return {key: _redacted(value) for key, value in data.items()}
    return [_redacted(value) for value in data] if isinstance(data, list) else data
