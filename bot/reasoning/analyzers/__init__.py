"""One module per kind of trouble: each has a NAME and a pure `look(snapshot, question)`."""

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass

from bot.domain.diagnosis import Finding, Question
from bot.domain.snapshot import Snapshot


@dataclass(frozen=True, slots=True, kw_only=True)
class Analyzer:
    """One analyst: facts and a question in, hypotheses with evidence and further needs out."""

    name: str
    look: Callable[[Snapshot, Question], Finding]


def discover() -> tuple[Analyzer, ...]:
    """Return every analyzer of this folder, sorted by name.

    Raises: ImportError, AttributeError: a module does not import, or lacks NAME or look;
    ValueError: two share a name. All of them must stop the start.
    """
    modules = [
        importlib.import_module(f"{__name__}.{m.name}") for m in pkgutil.iter_modules(__path__)
    ]
    found = sorted((Analyzer(name=m.NAME, look=m.look) for m in modules), key=lambda a: a.name)
    names = [a.name for a in found]
    if len(set(names)) != len(names):
        raise ValueError(f"two analyzers share a name: {names}")
    return tuple(found)
