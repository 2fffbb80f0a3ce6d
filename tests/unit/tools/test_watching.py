"""A watch of warning events: what the API streams, and when it has to begin anew."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from bot.domain.environment import Environment, Tier
from bot.domain.errors import Refused, Unavailable
from tests.fakes.loopback import Asked, Loopback, Reply, loopback
from tools.clients.kubernetes import Kubernetes
from tools.clients.watching import Expired, WarningEvents

PATH = "/api/v1/namespaces/shop/events"


class Api:
    """Answers lists from pages and watches from lines."""

    def __init__(self) -> None:
        self.pages: list[dict[str, Any]] = [{"metadata": {"resourceVersion": "10"}, "items": []}]
        self.watch = Reply()

    def __call__(self, asked: Asked) -> Reply:
        assert asked.path == PATH
        assert asked.query["fieldSelector"] == "type=Warning"
        if asked.query.get("watch") == "true":
            return self.watch
        return Reply(body=self.pages[int(asked.query.get("continue") or 0)])


@pytest.fixture
def api() -> Api:
    return Api()


@pytest.fixture
def server(api: Api) -> Iterator[Loopback]:
    with loopback(api) as running:
        yield running


@pytest.fixture
def events(server: Loopback) -> WarningEvents:
    place = Environment(
        name="prod", tier=Tier.PRODUCTION, namespaces=("shop",),
        connections={"kubernetes": {"url": server.url}},
    )  # fmt: skip
    return WarningEvents(Kubernetes(place))


def change(kind: str, version: str, **body: Any) -> dict[str, Any]:
    return {"type": kind, "object": {"metadata": {"resourceVersion": version}, **body}}


def lines(*changes: Any) -> Reply:
    return Reply(body="\n".join(json.dumps(c) for c in changes).encode())


async def test_a_list_is_read_to_its_end(api: Api, events: WarningEvents) -> None:
    api.pages = [
        {"metadata": {"resourceVersion": "10", "continue": "1"}, "items": [{"reason": "A"}, 7]},
        {"metadata": {"resourceVersion": "10"}, "items": [{"reason": "B"}]},
    ]
    seen = await events.listed("shop")
    assert [e.get("reason") for e in seen.events] == ["A", None, "B"]
    assert seen.version == "10"


async def test_a_watch_goes_on_from_the_last_it_saw(
    api: Api, events: WarningEvents, server: Loopback
) -> None:
    api.watch = lines(
        change("ADDED", "11", reason="A"), change("MODIFIED", "12", reason="B"),
        change("DELETED", "13", reason="C"), change("BOOKMARK", "20"),
    )  # fmt: skip
    seen = await events.watched("shop", "10")
    assert [e["reason"] for e in seen.events] == ["A", "B"]
    assert seen.version == "20"
    assert server.asked[-1].query["resourceVersion"] == "10"
    assert server.asked[-1].query["allowWatchBookmarks"] == "true"


async def test_a_quiet_watch_stays_where_it_was(events: WarningEvents) -> None:
    assert (await events.watched("shop", "10")).version == "10"


@pytest.mark.parametrize(
    "answer",
    [Reply(status=410, body={"code": 410}), Reply(status=405, body={"code": 405}),
     lines(change("ADDED", "11"), {"type": "ERROR", "object": {"code": 410}})],
)  # fmt: skip
async def test_an_old_version_has_to_be_listed_anew(
    api: Api, events: WarningEvents, answer: Reply
) -> None:
    api.watch = answer
    with pytest.raises(Expired):
        await events.watched("shop", "10")


@pytest.mark.parametrize(
    ("answer", "error"),
    [(Reply(status=403, body={"message": "no"}), Refused), (Reply(status=500), Unavailable),
     (Reply(drop=True), Unavailable)],
)  # fmt: skip
async def test_a_failure_says_what_it_is(
    api: Api, events: WarningEvents, answer: Reply, error: type[Exception]
) -> None:
    api.watch = answer
    with pytest.raises(error):
        await events.watched("shop", "10")


@pytest.mark.parametrize("text", [b"{", b"\xff", b"[" * 9_000, b'{"type": "ERROR", "object": 3}'])
async def test_a_line_of_no_sense_is_an_error_and_no_event(
    api: Api, events: WarningEvents, text: bytes
) -> None:
    from bot.domain.errors import Malformed

    api.watch = Reply(body=text)
    with pytest.raises((Malformed, Expired)):
        await events.watched("shop", "10")


@pytest.mark.parametrize("text", [b"7", b"[]", b'{"type": "ADDED"}', b'{"object": []}', b"null"])
async def test_a_line_of_another_shape_is_passed_over(
    api: Api, events: WarningEvents, text: bytes
) -> None:
    api.watch = Reply(body=text)
    seen = await events.watched("shop", "10")
    assert (seen.version, [dict(e) for e in seen.events]) in (("10", []), ("10", [{}]))
