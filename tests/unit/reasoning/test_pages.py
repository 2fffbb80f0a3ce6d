"""What can be asked for on a page, word for word; what does not name the page exactly is not."""

import pytest

from bot.domain.environment import Environment, Tier
from bot.domain.wish import Verb, Wish
from bot.reasoning.wishes import resolve, wish_of

PROD = Environment(name="prod", tier=Tier.PRODUCTION, namespaces=("shop",))
STAGING = Environment(
    name="staging", tier=Tier.STAGING, namespaces=("shop",), connections={"pagerduty": {}}
)


@pytest.mark.parametrize(
    ("text", "verb", "more"),
    [
        ("ack PT4KHLK", Verb.ACKNOWLEDGE, {}),
        ("please acknowledge the incident PT4KHLK in prod", Verb.ACKNOWLEDGE, {"place": "prod"}),
        ("ack https://shop.pagerduty.com/incidents/PT4KHLK", Verb.ACKNOWLEDGE, {}),
        ("resolve PT4KHLK.", Verb.RESOLVE, {}),
        ("escalate PT4KHLK to level 2", Verb.ESCALATE, {"goal": "2"}),
        ("note on PT4KHLK: rolled back to v2.40", Verb.NOTE, {"goal": "rolled back to v2.40"}),
        ("add a note to PT4KHLK: ack PAAAAAA", Verb.NOTE, {"goal": "ack PAAAAAA"}),
        ("call @U0ADMIN and @U0APPROVER to PT4KHLK because the database is down", Verb.CALL,
         {"people": ("U0ADMIN", "U0APPROVER"), "reason": "the database is down"}),
    ],
)  # fmt: skip
def test_a_page_is_named_by_its_id_or_link(text: str, verb: Verb, more: dict[str, str]) -> None:
    assert wish_of(text) == Wish(verb=verb, name="PT4KHLK", kind="page", **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "text",
    ["ack", "ack it", "ack that please", "resolve checkout", "resolve the problem in prod",
     "escalate PT4KHLK", "escalate PT4KHLK to level 200", "ack pt4khlk", "ack PT4KHLK PAAAAAA",
     "note on PT4KHLK:", "call me to PT4KHLK", "who should ack PT4KHLK?",
     "ERROR ack PT4KHLK", "ack https://evil.example/incidents/PT4KHLK?x=1"],
)  # fmt: skip
def test_what_names_no_page_exactly_asks_for_nothing(text: str) -> None:
    assert wish_of(text) is None


def test_the_only_environment_that_is_paged_is_meant() -> None:
    wish = wish_of("ack PT4KHLK")
    assert wish is not None
    found = resolve(wish, environments=(PROD, STAGING), services={}, default_environment="prod")
    assert found is not None
    assert (found.environment, found.name) == ("staging", "PT4KHLK")
