"""A button about an incident's pages asks for a card for each that it fits, once per click."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.domain.codec import decode
from bot.domain.conversation import Click
from bot.domain.paging import Page, Press
from bot.domain.pressing import Pressed, fingerprint
from bot.domain.time import ScaledClock
from bot.domain.wish import Verb, Wish
from bot.slack.views import pages as views
from bot.workflows.orders import InvestigationOrder
from bot.workflows.page_buttons import PageClicks

WALL = ScaledClock(origin=datetime(2026, 3, 1, tzinfo=UTC))
PAGE = Page(
    id="PT4KHLK", environment="staging", service="checkout", number=12, title="slow",
    status="triggered", urgency="high", priority="", assignees=("Rosa",), policy="P1", link="",
)  # fmt: skip
CLICK = Click(
    click_id="click-1", team="T1", channel="C1", message_ts="1.0", thread_ts="1.0", user="UROSA",
    subject="sig-1",
)  # fmt: skip


@dataclass
class Desk:
    """What was started, by id, and the pages of the one incident."""

    pages: list[Page] = field(default_factory=lambda: [PAGE])
    started: dict[str, tuple[Any, ...]] = field(default_factory=dict)

    async def start(self, name: str, workflow_id: str, *arguments: Any) -> None:
        self.started.setdefault(workflow_id, arguments)

    async def of_incident(self, incident_id: str) -> Sequence[Page]:
        return self.pages if incident_id == "sig-1" else ()

    async def press(self, press: Press, click: Click = CLICK) -> str:
        clicks = PageClicks(engine=self, pages=self, wall=WALL)  # type: ignore[arg-type]
        return (await clicks.press(click, press)).text

    async def press_shown(self, press: Press) -> str:
        return await self.press(replace(press, shown=fingerprint(self.pages)))

    @property
    def wishes(self) -> list[tuple[Wish, InvestigationOrder]]:
        return [
            (decode(Wish, wish), decode(InvestigationOrder, order))
            for order, wish, *_ in self.started.values()
        ]

    @property
    def pressed(self) -> list[Pressed]:
        return [decode(Pressed, more[2]) for more in self.started.values() if len(more) > 2]


async def test_the_clicker_asks_in_the_incidents_thread() -> None:
    desk = Desk()
    assert await desk.press(Press(verb=Verb.ESCALATE, goal="2")) == (
        "The pages changed since you saw them, so nothing is decided yet. "
        "A card to escalate #12 in the thread."
    )
    assert desk.pressed == []
    ((wish, order),) = desk.wishes
    assert (wish.verb, wish.name, wish.place, wish.goal) == (
        Verb.ESCALATE, "PT4KHLK", "staging", "2",
    )  # fmt: skip
    assert (order.mention.user, order.mention.thread.ts) == ("UROSA", "1.0")
    assert order.mention.typed == ""


async def test_a_press_about_what_was_shown_goes_along_as_it_was_shown() -> None:
    desk = Desk()
    said = await desk.press_shown(Press(verb=Verb.ACKNOWLEDGE))
    assert said == "Asked: acknowledge #12. It is done when the thread says so."
    (pressed,) = desk.pressed
    assert (pressed.page_id, pressed.status, pressed.assignees) == (
        "PT4KHLK", "triggered", ("Rosa",),
    )  # fmt: skip
    assert (pressed.click, pressed.press.verb) == (CLICK, Verb.ACKNOWLEDGE)


CHANGES: list[dict[str, Any]] = [
    {"status": "acknowledged"}, {"assignees": ("Anil",)}, {"assignees": ()}, {"id": "PT5"},
    {"status": "resolved"},
]  # fmt: skip


@pytest.mark.parametrize("change", CHANGES)
async def test_a_press_about_pages_that_changed_decides_nothing(change: dict[str, Any]) -> None:
    second = replace(PAGE, id="PT9", number=13)
    desk = Desk(pages=[PAGE, second])
    shown = fingerprint(desk.pages)
    desk.pages = [replace(PAGE, **change), second]
    said = await desk.press(Press(verb=Verb.RESOLVE, shown=shown))
    assert "nothing is decided yet" in said
    assert desk.started
    assert desk.pressed == []


def test_order_and_what_is_over_make_no_difference_to_what_was_shown() -> None:
    second = replace(PAGE, id="PT9", assignees=("Anil", "Rosa"))
    over = replace(PAGE, id="PT6", status="resolved")
    turned = replace(second, assignees=("Rosa", "Anil"))
    assert fingerprint([PAGE, second]) == fingerprint([over, turned, PAGE])


async def test_the_same_click_asks_once_until_the_page_changes() -> None:
    desk = Desk()
    for _ in range(3):
        await desk.press(Press(verb=Verb.RESOLVE))
    assert len(desk.started) == 1
    desk.pages = [replace(PAGE, status="acknowledged")]
    await desk.press(Press(verb=Verb.RESOLVE))
    assert len(desk.started) == 2


async def test_an_acknowledgement_that_timed_out_can_be_pressed_again() -> None:
    at = datetime(2026, 3, 1, 3, 0, tzinfo=UTC)
    desk = Desk(pages=[replace(PAGE, told_at=at)])
    for _ in range(2):
        await desk.press_shown(Press(verb=Verb.ACKNOWLEDGE))
    assert len(desk.started) == 1
    desk.pages = [replace(PAGE, told_at=at + timedelta(minutes=31))]  # triggered once more
    await desk.press_shown(Press(verb=Verb.ACKNOWLEDGE))
    assert len(desk.pressed) == 2


async def test_it_is_for_every_open_page_that_it_fits() -> None:
    acked = replace(PAGE, id="PT5", number=13, status="acknowledged")
    over = replace(PAGE, id="PT6", status="resolved")
    desk = Desk(pages=[PAGE, acked, over])
    assert "2 cards to resolve #12, #13" in await desk.press(Press(verb=Verb.RESOLVE))
    desk.started.clear()
    await desk.press(Press(verb=Verb.ACKNOWLEDGE))
    assert [wish.name for wish, _ in desk.wishes] == ["PT4KHLK"]


async def test_nothing_to_do_is_said() -> None:
    desk = Desk(pages=[replace(PAGE, status="acknowledged")])
    assert "acknowledged already" in await desk.press(Press(verb=Verb.ACKNOWLEDGE))
    desk.pages = [replace(PAGE, status="resolved")]
    assert "nothing to resolve" in await desk.press(Press(verb=Verb.RESOLVE))
    assert desk.started == {}


async def test_a_storm_of_pages_is_not_a_storm_of_cards() -> None:
    desk = Desk(pages=[replace(PAGE, id=f"P{n:06}", number=n + 1) for n in range(25)])
    assert "and 15 more that I leave for now" in await desk.press(Press(verb=Verb.RESOLVE))
    assert [wish.name for wish, _ in desk.wishes] == [f"P{n:06}" for n in range(10)]


@pytest.mark.parametrize("count", [1, 9, 10, 11, 12, 25])
@pytest.mark.parametrize("verb", [Verb.ACKNOWLEDGE, Verb.RESOLVE])
async def test_what_is_done_is_what_the_dialog_names(count: int, verb: Verb) -> None:
    pages = [replace(PAGE, id=f"P{n:06}", number=n) for n in range(1, count + 1)]
    acked = replace(PAGE, id="PACKED", number=99, status="acknowledged")
    desk = Desk(pages=[*reversed(pages), acked] if verb is Verb.ACKNOWLEDGE else pages)
    shown = {
        Verb.ACKNOWLEDGE: lambda: views.page_buttons("sig-1", [*pages, acked])[0]["confirm"],
        Verb.RESOLVE: lambda: views.resolve_modal("{}", pages),
    }[verb]()
    await desk.press_shown(Press(verb=verb))
    done = {int(wish.name.removeprefix("P")) for wish, _ in desk.wishes}
    assert {int(n) for n in re.findall(r"#(\d+)", json.dumps(shown))} == done
    assert len(done) == min(count, 10)
    assert (f"{count - 10} more stay as they are" in json.dumps(shown)) == (count > 10)
