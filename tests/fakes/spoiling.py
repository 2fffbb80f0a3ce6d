"""Answers with one part of them replaced by something odd, one after the other."""

import copy
from collections.abc import Iterator
from typing import Any

from tests.fakes.loopback import Answer, Asked, Reply

ODD: tuple[Any, ...] = ("x", 7, [], [None], ["x"], {}, {"sha": 7}, True, -1, None)
DEEPEST = 5


def variants(value: Any) -> Iterator[Any]:
    """Yield copies of a JSON value in each of which one part is odd."""
    for number, path in enumerate(_paths(value)):
        for odd in (ODD[number % len(ODD)], ODD[(number * 3 + 1) % len(ODD)]):
            spoiled = copy.deepcopy(value)
            here = spoiled
            for step in path[:-1]:
                here = here[step]
            here[path[-1]] = odd
            yield spoiled


def _paths(value: Any, above: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if len(above) == DEEPEST:
        return
    entries = list(value.items()) if isinstance(value, dict) else []
    entries = list(enumerate(value[:2])) if isinstance(value, list) else entries
    for key, below in entries:
        yield (*above, key)
        yield from _paths(below, (*above, key))


class Spoiling:
    """A server that answers as another one does, but for one path, where `instead` is answered."""

    def __init__(self, server: Answer) -> None:
        self._server = server
        self.seen: dict[str, Any] = {}  # path of a read → what was answered
        self.path, self.instead = "", None

    def __call__(self, asked: Asked) -> Reply:
        if asked.path == self.path and asked.method == "GET":
            return Reply(body=self.instead)
        reply = self._server(asked)
        if asked.method == "GET" and reply.status == 200:
            self.seen[asked.path] = reply.body
        return reply
