"""People say where incidents are told, and what is none: only those who may, always audited."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.domain.conversation import Click, Mark, Thread
from bot.domain.errors import Malformed
from bot.domain.incident import State
from bot.domain.people import ActorKind, Role
from bot.domain.signal import Severity
from bot.slack.parse import command_of
from bot.triage.route_words import RouteWish, route_of
from bot.workflows.routing import Routing
from tests.fakes.stores import FakeAudit, FakePeople
from tests.unit.slack.samples import command_body
from tests.unit.workflows.ward import Ward

THREAD = Thread(team="T1", channel="CENV", ts="")


@pytest.fixture
async def ward(tmp_path: Path) -> AsyncIterator[Ward]:
    made = Ward(tmp_path)
    yield made
    made.close()


@pytest.fixture
def people() -> FakePeople:
    made = FakePeople()
    made.grant("UAPPROVER", Role.APPROVER)
    made.grant("URESPONDER", Role.RESPONDER)
    made.grant("UBOT", Role.ADMINISTRATOR)
    made.kinds["UBOT"] = ActorKind.BOT
    return made


@pytest.fixture
def audit() -> FakeAudit:
    return FakeAudit()


@pytest.fixture
def routing(ward: Ward, people: FakePeople, audit: FakeAudit) -> Routing:
    return Routing(
        routes=ward.routes, store=ward.store, people=people, audit=audit, clock=ward.clock,
        maps=ward.maps, environments={"prod": ward.prod}, default="prod",
    )  # fmt: skip


def click(user: str, subject: str) -> Click:
    return Click(
        click_id=f"c{user}{subject}", team="T1", channel="CENV", message_ts="1.0", thread_ts="1.0",
        user=user, subject=subject,
    )  # fmt: skip


class TestWords:
    @pytest.mark.parametrize(
        ("text", "wish"),
        [
            ("checkout #C0PAYMENTS", ("checkout", "C0PAYMENTS", "")),
            ("`checkout` #C0PAYMENTS|payments in staging", ("checkout", "C0PAYMENTS", "staging")),
            ("all #C0PAYMENTS", ("", "C0PAYMENTS", "")),
            ("* #C0PAYMENTS", ("", "C0PAYMENTS", "")),
            ("checkout off", ("checkout", "", "")),
        ],
    )
    def test_a_route_is_read(self, text: str, wish: tuple[str, str, str]) -> None:
        service, channel, place = wish
        assert route_of(text) == RouteWish(service=service, channel=channel, place=place)

    @pytest.mark.parametrize(
        "text",
        ["", "checkout", "checkout #payments", "a b c d e", "<!here> #C0PAYMENTS", "x " * 99],
    )
    def test_anything_else_is_answered_with_how_to_say_it(self, text: str) -> None:
        with pytest.raises(Malformed, match="/sre route"):
            route_of(text)

    def test_slack_hands_over_the_channels_id(self) -> None:
        body = command_body("route checkout <#C0PAYMENTS|payments>")
        assert command_of(body).text == "route checkout #C0PAYMENTS"
        asked = command_body("ask why is <#C0PAYMENTS|payments> slow")
        assert command_of(asked).text == "ask why is #payments slow"


async def test_an_approver_sets_a_route_and_it_is_audited(
    routing: Routing, ward: Ward, audit: FakeAudit
) -> None:
    said = await routing.route(THREAD, "UAPPROVER", "checkout #C0PAYMENTS")
    assert said.text == "Set: incidents of checkout in prod are told in <#C0PAYMENTS> from now on."
    assert [(r.service, r.channel) for r in await ward.routes.all()] == [("checkout", "C0PAYMENTS")]
    assert [e.event for e in audit.entries] == ["routed"]
    assert "prod · checkout → <#C0PAYMENTS>" in (await routing.shown()).text
    said = await routing.route(THREAD, "UAPPROVER", "checkout off")
    assert (said.mark, await ward.routes.all()) == (Mark.DONE, ())


async def test_a_service_that_nobody_knows_is_said_so(routing: Routing) -> None:
    said = await routing.route(THREAD, "UAPPROVER", "chekout #C0PAYMENTS")
    assert "I don't know a service called `chekout` yet." in said.text


@pytest.mark.parametrize("user", ["URESPONDER", "UBOT", "USTRANGER"])
async def test_nobody_else_may(routing: Routing, ward: Ward, audit: FakeAudit, user: str) -> None:
    said = await routing.route(THREAD, user, "checkout #C0PAYMENTS")
    assert (said.mark, await ward.routes.all()) == (Mark.REFUSED, ())
    assert [e.event for e in audit.entries] == ["refused"]


class TestNotAnIncident:
    async def test_it_ends_and_alerts_like_it_are_quiet_until_they_are_worse(
        self, routing: Routing, ward: Ward, audit: FakeAudit
    ) -> None:
        await ward.arrive(ward.signal("cart", title="cart-0 restarted 3 times"))
        await ward.until(lambda: ward.orders)
        incident = ward.tell.faces[0].incident
        said = await routing.not_an_incident(click("URESPONDER", incident.id))
        assert said.text.startswith("Noted.")
        await ward.until(lambda: ward.tell.faces[0].incident.state is State.RESOLVED)
        assert ward.tell.faces[0].incident.quiet == "not an incident, says <@URESPONDER>"
        alike = {"title": "cart-1 restarted 12 times", "subject": "other"}
        await ward.arrive(ward.signal("cart", **alike))
        await ward.calm(1.0)
        assert len(ward.tell.posted) == 1
        await ward.arrive(ward.signal("cart", severity=Severity.CRITICAL, **alike))
        await ward.until(lambda: len(ward.tell.posted) == 2)
        assert [e.event for e in audit.entries] == ["dismissed"]

    async def test_whoever_holds_no_role_changes_nothing(
        self, routing: Routing, ward: Ward, audit: FakeAudit
    ) -> None:
        await ward.arrive(ward.signal("cart"))
        await ward.until(lambda: ward.orders)
        incident = ward.tell.faces[0].incident
        for user in ("USTRANGER", "UBOT"):
            said = await routing.not_an_incident(click(user, incident.id))
            assert said.mark is Mark.REFUSED
        standing = await ward.store.incident(incident.id)
        assert standing is not None
        assert standing.incident.state is State.OPEN

    async def test_a_second_click_and_an_unknown_incident_change_nothing(
        self, routing: Routing, ward: Ward, audit: FakeAudit
    ) -> None:
        await ward.arrive(ward.signal("cart"))
        await ward.until(lambda: ward.orders)
        there = click("URESPONDER", ward.tell.faces[0].incident.id)
        await routing.not_an_incident(there)
        assert (await routing.not_an_incident(there)).text == "Noted already."
        assert (await routing.not_an_incident(click("URESPONDER", "sig-x"))).mark is Mark.REFUSED
        assert len(audit.entries) == 1
