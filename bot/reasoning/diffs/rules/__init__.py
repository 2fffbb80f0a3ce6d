"""One module per family of mechanisms: each has RULES, which read one file's change."""

import importlib
import pkgutil
from functools import cache

from bot.reasoning.diffs.rule import Rule


@cache
def discover() -> tuple[Rule, ...]:
    """Return the rules of every module of this folder, by module name.

    Raises: ImportError, AttributeError: a module does not import, or lacks RULES; ValueError: two
    rules share a name. All of them must stop the start.
    """
    modules = [
        importlib.import_module(f"{__name__}.{m.name}")
        for m in sorted(pkgutil.iter_modules(__path__), key=lambda m: m.name)
    ]
    rules = tuple(rule for module in modules for rule in module.RULES)
    names = [rule.name for rule in rules]
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        raise ValueError(f"two rules share a name: {sorted(twice)}")
    return rules
