"""An incident's pages in its message: what they say, their buttons, and what these ask for."""

import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from slack_bolt.async_app import AsyncBoltRequest
from slack_bolt.response import BoltResponse

from bot.domain.conversation import Click, Mark, Notice
from bot.domain.errors import Transient
from bot.domain.paging import Page, Press
from bot.domain.pressing import fingerprint
from bot.domain.wish import Verb
from bot.sandbox.workspace.blockkit import check, check_view
from bot.slack.app import create_app_at
from bot.slack.desk import Desk
from bot.slack.views import pages as views
from bot.slack.views.blocks import actions
from bot.slack.views.root import root
from tests.unit.slack.fakes import FakeSlack, FakeTeammate
from tests.unit.slack.samples import click_body, head, submission_body
from tests.unit.slack.test_roots import face

Send = Callable[..., Awaitable[BoltResponse]]
PAGE = Page(
    id="PT4KHLK", environment="prod", service="checkout", number=12, title="checkout is slow",
    status="triggered", urgency="high", priority="P1", assignees=("Rosa Responder",),
    policy="PSHOPEP", link="https://sandbox.pagerduty.com/incidents/PT4KHLK",
)  # fmt: skip
ACKED = replace(PAGE, id="PT5", number=13, status="acknowledged", priority="P2")
OVER = replace(PAGE, id="PT6", number=14, status="resolved", assignees=())
NAMELESS = [replace(PAGE, id=f"Q{n:013}", number=0) for n in range(40)]
HOSTILE = replace(PAGE, title="<!channel> *x* `y` " * 40, note="<@U1> ```", note_by="<!here>")


@dataclass
class FakeButtons:
    """`PageButtons` in memory."""

    pages: Sequence[Page] = (PAGE,)
    pressed: list[tuple[Click, Press]] = field(default_factory=list)
    down: bool = False

    async def open_pages(self, incident_id: str) -> Sequence[Page]:
        return self.pages

    async def press(self, click: Click, press: Press) -> Notice:
        if self.down:
            raise Transient("the database is down")
        self.pressed.append((click, press))
        return Notice(mark=Mark.WAITING, text="A card to acknowledge #12 in the thread.")


@pytest.fixture
def buttons() -> FakeButtons:
    return FakeButtons()


@pytest.fixture
def pressing(desk: Desk, buttons: FakeButtons) -> Send:
    desk.options = replace(desk.options, pages=buttons)
    app = create_app_at(desk)

    async def deliver(body: Any) -> BoltResponse:
        answer = await app.async_dispatch(AsyncBoltRequest(mode="socket_mode", body=body))
        await desk.settle()
        return answer

    return deliver


# What the head says


@pytest.mark.parametrize(
    ("pages", "line"),
    [
        ([PAGE], "|PagerDuty #12>: triggered · P1 · with Rosa Responder"),
        ([replace(PAGE, urgency="low")], "triggered, low urgency · P1"),
        ([replace(PAGE, assignees=(), on_call=("Anil",))], "triggered · P1 · on call Anil"),
        ([PAGE, ACKED, OVER], "PagerDuty: 2 of 3 open, 1 not acknowledged · P1 · with Rosa"),
        ([OVER, replace(OVER, id="P7")], "PagerDuty: all 2 resolved"),
    ],
)
def test_the_pages_are_one_line(pages: list[Page], line: str) -> None:
    (said,) = views.page_lines(pages)
    assert line in said


def test_the_newest_note_of_a_person_is_a_second_line() -> None:
    noted = replace(ACKED, note="we look\nat it", note_by="Anil")
    assert views.page_lines([PAGE, noted])[1] == "Anil noted: we look at it"
    assert views.page_lines([]) == []


def test_only_what_a_page_allows_has_a_button() -> None:
    def names(*pages: Page) -> list[str]:
        return [b["action_id"] for b in views.page_buttons("sig-1", pages)]

    others = [views.RESOLVE, views.ESCALATE, views.CALL]
    assert names(PAGE, OVER) == [views.ACKNOWLEDGE, *others]
    assert names(ACKED) == others
    assert names(OVER) == []


@pytest.mark.parametrize("pages", [[PAGE], [HOSTILE] * 40, [], [replace(PAGE, link="", number=0)]])
def test_whatever_a_page_says_slack_takes_it(pages: list[Page]) -> None:
    for modal_of in (views.resolve_modal, views.escalate_modal, views.call_modal):
        assert check_view(modal_of("{}", pages)) == []
    row = actions(*views.page_buttons("sig-1", pages))
    said = "\n".join(views.page_lines(pages)) or "-"
    section = {"type": "section", "text": {"type": "mrkdwn", "text": said}}
    assert check([block for block in (section, row) if block], surface="message") == []
    assert "<!channel>" not in said
    assert "<!here>" not in said


def test_resolving_lists_which_pages_it_closes() -> None:
    said = json.dumps(views.resolve_modal("{}", [PAGE, ACKED]))
    assert "These are closed in PagerDuty:" in said
    assert "#12" in said
    assert "#13" in said


def test_an_incidents_message_has_its_pages_and_never_more_than_six_lines() -> None:
    noted = replace(PAGE, note="we look at it", note_by="Anil")
    busy = face(pages=(noted,), head=head(), origins=("checkout",), flapping=3)
    message = root(busy)
    lines = message.blocks[0]["text"]["text"].split("\n")
    assert len(lines) == 6
    assert "triggered · P1 · with Rosa Responder" in "\n".join(lines)
    assert lines[-1] == "Anil noted: we look at it"
    names = [e["action_id"] for e in message.blocks[1]["elements"]]
    assert names == [
        views.ACKNOWLEDGE, views.RESOLVE, views.ESCALATE, views.CALL, "not_an_incident",
    ]  # fmt: skip
    assert check(list(message.blocks), surface="message") == []


# What the buttons ask for


async def test_acknowledge_is_one_click(pressing: Send, buttons: FakeButtons) -> None:
    (button, *_) = views.page_buttons("sig-1", [PAGE])
    await pressing(click_body(views.ACKNOWLEDGE, button["value"]))
    ((click, press),) = buttons.pressed
    shown = fingerprint([PAGE])
    assert (click.subject, press) == ("sig-1", Press(verb=Verb.ACKNOWLEDGE, shown=shown))


async def test_a_button_of_before_shows_nothing_and_so_decides_nothing(
    pressing: Send, buttons: FakeButtons
) -> None:
    await pressing(click_body(views.ACKNOWLEDGE, "sig-1"))
    ((click, press),) = buttons.pressed
    assert (click.subject, press.shown) == ("sig-1", "")


def test_the_dialog_says_what_is_done_to_which_page_and_in_whose_name() -> None:
    def dialog(*pages: Page) -> str:
        return str(views.page_buttons("sig-1", pages)[0]["confirm"]["text"]["text"])

    said = dialog(PAGE, ACKED)
    assert said.startswith("In your name: #12 checkout is slow (with Rosa Responder).")
    assert "cannot be taken back" in said
    assert dialog(PAGE, replace(PAGE, id="PT7", number=15)).startswith("In your name: #12, #15.")


@pytest.mark.parametrize(
    "pages",
    [
        [HOSTILE],
        [replace(HOSTILE, number=999_999_999, assignees=("Rosa " * 40,) * 5)],
        NAMELESS,
        [replace(PAGE, id="<@U1>`&" * 20, number=0)] * 40,
    ],
)
def test_the_dialog_never_leaves_out_that_it_cannot_be_taken_back(pages: list[Page]) -> None:
    said = views.page_buttons("sig-1", pages)[0]["confirm"]["text"]["text"]
    assert "It cannot be taken back. Where your word" in said
    assert said.endswith("a card asks.")


def test_pages_without_a_number_are_named_whole() -> None:
    said = views.page_buttons("sig-1", NAMELESS)[0]["confirm"]["text"]["text"]
    assert [page for page in NAMELESS if page.id in said] == NAMELESS[:10]
    assert "30 more stay as they are" in said


async def test_resolve_is_asked_for_after_its_pages_were_listed(
    pressing: Send, slack: FakeSlack, buttons: FakeButtons
) -> None:
    await pressing(click_body(views.RESOLVE, "sig-1"))
    assert buttons.pressed == []
    view = slack.views["V1"]
    body = submission_body(views.RESOLVE, view["private_metadata"], None)
    body["view"]["state"] = {"values": {}}
    await pressing(body)
    assert [press.verb for _, press in buttons.pressed] == [Verb.RESOLVE]
    assert "A card" in json.dumps(slack.ephemeral)


def entered(callback: str, metadata: str, values: Any) -> dict[str, Any]:
    body = submission_body(callback, metadata, "x")
    body["view"]["state"] = {"values": values}
    return body


def level(value: Any) -> Any:
    return {views.LEVEL_BLOCK: {"select": {"selected_option": {"value": value}}}}


def people(chosen: Any, why: Any = "the pool is full") -> Any:
    return {views.PEOPLE_BLOCK: {"people": {"selected_users": chosen}},
            "reason": {"text": {"value": why}}}  # fmt: skip


async def test_levels_and_people_are_handed_over(
    pressing: Send, slack: FakeSlack, buttons: FakeButtons
) -> None:
    await pressing(click_body(views.ESCALATE, "sig-1"))
    metadata = slack.views["V1"]["private_metadata"]
    await pressing(entered(views.ESCALATE, metadata, level("2")))
    await pressing(entered(views.CALL, metadata, people(["U0ADA", "U0ANIL", "U0ADA"])))
    shown = fingerprint([PAGE])  # as the modal listed them
    assert [(click.subject, press) for click, press in buttons.pressed] == [
        ("sig-1", Press(verb=Verb.ESCALATE, goal="2", shown=shown)),
        ("sig-1", Press(verb=Verb.CALL, people=("U0ADA", "U0ANIL"), reason="the pool is full",
                        shown=shown)),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("callback", "values"),
    [
        (views.ESCALATE, level("0")), (views.ESCALATE, level("21")), (views.ESCALATE, level(2)),
        (views.ESCALATE, {}), (views.ESCALATE, None), (views.CALL, people([])),
        (views.CALL, people(["x"])), (views.CALL, people(["U0A"] * 11)), (views.CALL, people("U0")),
        (views.CALL, people(["U0A"], "")), (views.CALL, people(["U0A"], None)),
    ],
)  # fmt: skip
async def test_what_the_modal_did_not_offer_is_refused(
    pressing: Send, slack: FakeSlack, buttons: FakeButtons, teammate: FakeTeammate, callback: str,
    values: Any,
) -> None:  # fmt: skip
    await pressing(click_body(callback, "sig-1"))
    metadata = slack.views["V1"]["private_metadata"]
    answer = await pressing(entered(callback, metadata, values))
    assert json.loads(answer.body)["response_action"] == "errors"
    assert buttons.pressed == []
    assert len(teammate.strays) == 1


async def test_what_was_not_taken_is_said_in_the_modal(
    pressing: Send, slack: FakeSlack, buttons: FakeButtons
) -> None:
    await pressing(click_body(views.RESOLVE, "sig-1"))
    metadata, buttons.down = slack.views["V1"]["private_metadata"], True
    answer = json.loads((await pressing(entered(views.RESOLVE, metadata, {}))).body)
    assert answer["response_action"] == "update"
    assert "Not taken, try again" in json.dumps(answer["view"])
    assert check_view(answer["view"]) == []


async def test_a_modal_of_somebody_else_is_refused(
    pressing: Send, slack: FakeSlack, buttons: FakeButtons
) -> None:
    await pressing(click_body(views.RESOLVE, "sig-1"))
    body = entered(views.RESOLVE, slack.views["V1"]["private_metadata"], {})
    body["user"]["id"] = "U0OTHER"
    await pressing(body)
    assert buttons.pressed == []
