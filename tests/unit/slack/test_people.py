"""Who clicks: kind from Slack, roles from SQL, and no role for whoever is not a full member."""

from typing import Any

import pytest
from slack_sdk.web.async_client import AsyncWebClient

from bot.domain.errors import SreBotError, Unavailable
from bot.domain.people import ActorKind, Role
from bot.slack.people import SlackPeople
from tests.unit.slack.fakes import TEAM, USER, FakePeople, FakeSlack

MEMBER = {"id": USER, "team_id": TEAM, "name": "rosa", "profile": {"display_name": "Rosa"}}
APPROVER = frozenset({Role.APPROVER})


@pytest.fixture
def people(client: AsyncWebClient) -> SlackPeople:
    return SlackPeople(client, FakePeople(roles={(TEAM, USER): APPROVER}))


async def test_a_member_has_the_roles_that_sql_grants(
    people: SlackPeople, slack: FakeSlack
) -> None:
    slack.users[USER] = MEMBER
    actor = await people.actor(TEAM, USER, "prod")
    assert (actor.kind, actor.roles, actor.name) == (ActorKind.PERSON, APPROVER, "Rosa")


@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        ({"is_restricted": True}, ActorKind.GUEST),
        ({"is_ultra_restricted": True}, ActorKind.GUEST),
        ({"is_bot": True}, ActorKind.BOT),
        ({"is_workflow_bot": True}, ActorKind.BOT),
        ({"team_id": "T0OTHER"}, ActorKind.PERSON),
        ({"is_stranger": True}, ActorKind.PERSON),
        ({"deleted": True}, ActorKind.PERSON),
        ({"team_id": None}, ActorKind.PERSON),
    ],
)
async def test_nobody_else_holds_a_role(
    people: SlackPeople, slack: FakeSlack, fields: dict[str, Any], kind: ActorKind
) -> None:
    slack.users[USER] = {**MEMBER, **fields}
    actor = await people.actor(TEAM, USER, "prod")
    assert (actor.kind, actor.roles) == (kind, frozenset())


async def test_a_member_of_an_organisation_is_at_home_in_its_workspaces(
    people: SlackPeople, slack: FakeSlack
) -> None:
    slack.users[USER] = {**MEMBER, "team_id": "E0ORG", "enterprise_user": {"teams": [TEAM]}}
    assert (await people.actor(TEAM, USER, "prod")).roles == APPROVER


async def test_slack_is_asked_once_a_minute_but_sql_every_time(
    client: AsyncWebClient, slack: FakeSlack
) -> None:
    store = FakePeople(roles={(TEAM, USER): APPROVER})
    people = SlackPeople(client, store)
    slack.users[USER] = MEMBER
    await people.actor(TEAM, USER, "prod")
    store.roles.clear()
    assert (await people.actor(TEAM, USER, "prod")).roles == frozenset()
    assert len(slack.named("users.info")) == 1


async def test_when_slack_cannot_tell_nothing_is_assumed(
    people: SlackPeople, slack: FakeSlack
) -> None:
    slack.fail["users.info"] = [(500, {"ok": False, "error": "internal_error"}, {})]
    with pytest.raises(Unavailable):
        await people.actor(TEAM, USER, "prod")
    with pytest.raises(SreBotError):  # a user that Slack does not know
        await people.actor(TEAM, "U0NOBODY", "prod")
