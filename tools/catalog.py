"""Finds every tool by importing its package, and stops the start when one of them is broken."""

import importlib
import inspect
import pkgutil
from collections.abc import Iterator, Mapping
from types import ModuleType
from typing import TypeVar, cast

from bot.domain.environment import Environment
from bot.domain.errors import Permanent
from tools.contract import Action, ReadTool

READ_PACKAGE = "tools.read"
ACT_PACKAGE = "tools.act"
BROKEN = (ImportError, SyntaxError, NameError, AttributeError, TypeError, ValueError, KeyError)

BaseT = TypeVar("BaseT", bound=type)


class BrokenCatalog(Permanent):
    """The tools cannot be listed: one does not import, has no name, or two share one."""


def read_tools(environment: Environment) -> tuple[ReadTool, ...]:
    """Return every read tool whose system is configured in the environment, ordered by name.

    Raises: BrokenCatalog; NotConfigured: a tool's connection settings are wrong.
    """
    kinds = read_tool_types()
    bound = (kinds[name].for_environment(environment) for name in sorted(kinds))
    return tuple(tool for tool in bound if tool is not None)


def read_tool_types(package: str = READ_PACKAGE) -> Mapping[str, type[ReadTool]]:
    """Return the class of every read tool by its name. Raises: BrokenCatalog."""
    return _by_name((str(getattr(kind, "name", "")), kind) for kind in _classes(package, ReadTool))


def actions(package: str = ACT_PACKAGE) -> Mapping[str, type[Action]]:  # type: ignore[type-arg]  # arguments differ by action
    """Return the class of every action by its name. Raises: BrokenCatalog."""
    return _by_name(
        (kind.facts.name if hasattr(kind, "facts") else "", kind)
        for kind in _classes(package, Action)
    )


def _by_name(named: Iterator[tuple[str, BaseT]]) -> dict[str, BaseT]:
    found: dict[str, BaseT] = {}
    for name, kind in named:
        where = f"{kind.__module__}.{kind.__name__}"
        if not name:
            raise BrokenCatalog(f"{where} has no name")
        if name in found:
            other = found[name]
            raise BrokenCatalog(
                f"two tools are called `{name}`: {other.__module__}.{other.__name__} and {where}"
            )
        found[name] = kind
    return dict(sorted(found.items()))


def _classes(package: str, base: BaseT) -> Iterator[BaseT]:
    for module in _modules(package):
        for _, kind in inspect.getmembers(module, inspect.isclass):
            own = kind.__module__ == module.__name__
            if own and issubclass(kind, base) and not inspect.isabstract(kind):
                yield cast("BaseT", kind)


def _modules(package: str) -> Iterator[ModuleType]:
    root = _import(package)
    yield root
    for info in pkgutil.walk_packages(root.__path__, prefix=f"{package}.", onerror=_broken):
        yield _import(info.name)


def _import(name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except BROKEN as error:
        raise BrokenCatalog(f"{name} does not import: {type(error).__name__}: {error}") from error


def _broken(name: str) -> None:
    raise BrokenCatalog(f"{name} does not import")
