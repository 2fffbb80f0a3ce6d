"""The workspace's own rules: timestamps, seeds, what people type, the manifest."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.domain.errors import Malformed
from bot.sandbox.workspace.manifest import app_of
from bot.sandbox.workspace.records import App
from bot.sandbox.workspace.speech import rich_text, stored
from bot.sandbox.workspace.state import Workspace
from bot.sandbox.workspace.webhook import sign

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


class Stopped:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.moment = NOON

    def now(self) -> datetime:
        return self.moment

    def wall_seconds(self, seconds: float) -> float:
        return seconds


@pytest.fixture
def clock() -> Stopped:
    return Stopped()


@pytest.fixture
def workspace(clock: Stopped) -> Workspace:
    return Workspace(clock)


def test_timestamps_grow_even_when_the_clock_stops_or_goes_back(
    workspace: Workspace, clock: Stopped
) -> None:
    first = workspace.next_ts()
    second = workspace.next_ts()
    clock.moment -= timedelta(hours=1)
    third = workspace.next_ts()
    assert (first, second, third) == tuple(f"{int(NOON.timestamp())}.00000{n}" for n in range(3))


def test_ids_differ_between_runs_so_that_no_event_looks_like_a_retry(clock: Stopped) -> None:
    ids = {Workspace(clock).new_id("Ev") for _ in range(50)}
    assert len(ids) == 50


def test_the_seed_is_the_team_of_the_contract(workspace: Workspace) -> None:
    roles = {u.id: u.role for u in workspace.users.values()}
    assert roles["U0APPROVER"] == "approver"
    assert workspace.users["U0GUEST"].is_guest
    assert "U0SREBOT" not in workspace.channels["C0GENERAL"].members
    assert workspace.groups["S0APPROVERS"].handle == "sre-approvers"


def test_the_bot_has_one_direct_message_per_person(workspace: Workspace) -> None:
    assert workspace.direct_message("U0ADMIN") == workspace.direct_message("U0ADMIN")


def test_secrets_do_not_show_in_a_printed_app() -> None:
    assert "xoxb" not in repr(App())
    assert "secret" not in repr(App()).replace("signing_secret", "")


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("@sre-bot, why?", "<@U0SREBOT>, why?"),
        ("ask @sre-approvers", "ask <!subteam^S0APPROVERS>"),
        ("in #team-shop", "in <#C0SHOP>"),
        ("mail rosa@sandbox.example", "mail rosa@sandbox.example"),
        ("@nobody #nowhere", "@nobody #nowhere"),
        ("a < b & c", "a &lt; b &amp; c"),
        ("<@U0SREBOT> again", "<@U0SREBOT> again"),
        ("<!channel>", "&lt;!channel&gt;"),
    ],
)
def test_what_people_type_is_stored_as_slack_does(
    workspace: Workspace, typed: str, kept: str
) -> None:
    assert stored(workspace, typed) == kept


def test_rich_text_names_the_mentioned() -> None:
    [block] = rich_text("<@U0SREBOT> is a &lt; b?")
    assert block["elements"][0]["elements"] == [
        {"type": "user", "user_id": "U0SREBOT"},
        {"type": "text", "text": " is a < b?"},
    ]


def test_a_manifest_gives_scopes_events_and_commands() -> None:
    app = app_of(
        {
            "oauth_config": {"scopes": {"bot": ["chat:write"]}},
            "settings": {"event_subscriptions": {"bot_events": ["app_mention"]}},
            "features": {"slash_commands": [{"command": "/sre"}]},
        }
    )
    assert (app.scopes, app.events, app.commands) == ({"chat:write"}, {"app_mention"}, {"/sre"})


@pytest.mark.parametrize(
    "manifest",
    [
        {"oauth_config": []},
        {"oauth_config": {"scopes": {"bot": "chat:write"}}},
        {"settings": {"event_subscriptions": {"bot_events": [7]}}},
        {"features": {"slash_commands": [{}]}},
        {"features": {"slash_commands": 7}},
    ],
)
def test_a_malformed_manifest_is_named(manifest: dict[str, Any]) -> None:
    with pytest.raises(Malformed, match="manifest"):
        app_of(manifest)


def test_signatures_are_those_of_slacks_documentation() -> None:
    body = (
        "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow"
        "&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner"
        "&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands"
        "%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015"
        ".47445629121.803a0bc887a14d10d2c447fce8b6703c"
    )
    signature = sign("8f742231b10e8888abcd99yyyzzz85a5", "1531420618", body.encode())
    assert signature == "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"
