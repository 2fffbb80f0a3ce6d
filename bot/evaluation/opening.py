"""Opens a recorded case, whichever of the known formats it is in."""

from pathlib import Path

from bot.evaluation.cloud_opsbench.convert import load_any
from bot.perception.case import Case


def open_case(directory: Path) -> Case:
    """Return the case, with nothing handed out yet. Raises: Malformed: names the file."""
    return load_any(directory).replay()
