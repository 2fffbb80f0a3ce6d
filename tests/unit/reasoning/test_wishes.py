"""What counts as asking for an action, word for word; the rest is a question."""

from datetime import UTC, datetime

import pytest

from bot.domain.diagnosis import Question, Symptom
from bot.domain.environment import Environment, Tier
from bot.domain.errors import Ambiguous, Malformed, UnknownName
from bot.domain.time import Window
from bot.domain.wish import Verb, Wanted, Wish
from bot.reasoning.wishes import resolve, wish_of

NOW = datetime(2026, 11, 21, 14, 3, tzinfo=UTC)
PROD = Environment(name="prod", tier=Tier.PRODUCTION, namespaces=("shop",), aliases=("live",))
STAGING = Environment(name="staging", tier=Tier.STAGING, namespaces=("shop",))
SERVICES = {
    "prod": ("cart", "checkout", "payments", "billing-writer", "billing-worker"),
    "staging": ("cart", "checkout"),
}


def resolved(text: str, previous: Question | None = None) -> Wanted | None:
    wish = wish_of(text)
    assert wish is not None
    return resolve(
        wish, environments=(PROD, STAGING), services=SERVICES, default_environment="prod",
        previous=previous,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("text", "verb", "name", "more"),
    [
        ("restart checkout in staging", Verb.RESTART, "checkout", {"place": "staging"}),
        ("Please restart the checkout deployment.", Verb.RESTART, "checkout",
         {"kind": "deployment"}),
        ("can you bounce checkout?", Verb.RESTART, "checkout", {}),
        ("restart pod checkout-5d8f9c7b6-abcde", Verb.RESTART, "checkout-5d8f9c7b6-abcde",
         {"kind": "pod"}),
        ("kill the pod checkout-5d8f9c7b6-abcde in prod", Verb.RESTART,
         "checkout-5d8f9c7b6-abcde", {"kind": "pod", "place": "prod"}),
        ("scale cart to 4", Verb.SCALE, "cart", {"goal": "4"}),
        ("scale up cart to 4 pods in staging", Verb.SCALE, "cart",
         {"goal": "4", "place": "staging"}),
        ("scale cart up", Verb.SCALE, "cart", {}),
        ("roll back payments", Verb.ROLL_BACK, "payments", {}),
        ("Roll back checkout to v2.40", Verb.ROLL_BACK, "checkout", {"goal": "v2.40"}),
        ("rollback payments to revision 3 in live", Verb.ROLL_BACK, "payments",
         {"goal": "revision 3", "place": "live"}),
        ("revert `checkout` because it returns errors", Verb.ROLL_BACK, "checkout",
         {"reason": "it returns errors"}),
        ("pause the rollout of checkout", Verb.PAUSE, "checkout", {"kind": "rollout"}),
        ("resume checkout rollout", Verb.RESUME, "checkout", {"kind": "rollout"}),
        ("cordon node-3", Verb.CORDON, "node-3", {"kind": "node"}),
        ("drain node node-3", Verb.DRAIN, "node-3", {"kind": "node"}),
        ("uncordon node-3 please", Verb.UNCORDON, "node-3", {"kind": "node"}),
        ("delete the failed job nightly", Verb.DELETE_JOB, "nightly", {"kind": "job"}),
    ],
)  # fmt: skip
def test_a_whole_sentence_that_begins_with_the_verb_asks_for_an_action(
    text: str, verb: Verb, name: str, more: dict[str, str]
) -> None:
    assert wish_of(text) == Wish(verb=verb, name=name, **more)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "why is checkout slow?",
        "did you restart checkout?",
        "should we roll back payments?",
        "restart count of checkout is rising",
        "rollback of payments failed, why?",
        "checkout restarts all the time",
        "scale of the problem in prod?",
        "don't restart checkout",
        "nobody may restart checkout in staging",
        "ERROR please restart checkout --force; rm -rf /",
        "> restart checkout in prod",
        "```\nrestart checkout in prod\n```",
        "what is this?\nrestart payments in prod",
        "restart checkout in prod with image evil:1",
        "restart checkout" + " please" * 60,
        "restart chec\u200bkout",
        "restart checkout\x07",
    ],
)
def test_what_fits_half_is_no_request(text: str) -> None:
    assert wish_of(text) is None


def test_only_the_first_line_is_an_order_and_what_is_pasted_below_is_not_read() -> None:
    assert wish_of("restart checkout\nscale cart to 0\nERROR restart payments") == Wish(
        verb=Verb.RESTART, name="checkout"
    )


@pytest.mark.parametrize(
    "text",
    ["restart", "restart everything", "restart all pods", "restart checkout and cart",
     "roll back checkout, payments"],
)  # fmt: skip
def test_several_things_at_once_are_asked_back(text: str) -> None:
    with pytest.raises(Malformed, match="which one first"):
        wish_of(text)


@pytest.mark.parametrize(
    "text", ["delete the database of checkout", "deploy checkout v3", "disable the alerts"]
)
def test_what_is_not_done_is_answered_with_what_is(text: str) -> None:
    with pytest.raises(Malformed, match=r"nothing I do when asked.*scale cart to 4"):
        wish_of(text)


def test_the_place_is_the_named_one_else_the_threads_else_the_default() -> None:
    before = Question(
        text="why is checkout slow in staging", environment="staging", services=("checkout",),
        symptom=Symptom.SLOW, asked_at=NOW, window=Window.last(3600, before=NOW),
    )  # fmt: skip
    for text, previous, place in (
        ("restart checkout in live", before, "prod"),
        ("restart checkout", before, "staging"),
        ("restart checkout", None, "prod"),
    ):
        found = resolved(text, previous)
        assert found is not None
        assert (found.environment, found.name) == (place, "checkout")
    found = resolved("restart it", before)
    assert found is not None
    assert (found.environment, found.name) == ("staging", "checkout")


def test_it_without_a_thread_is_asked_back() -> None:
    with pytest.raises(Malformed, match="Which service"):
        resolved("restart it")
    with pytest.raises(Malformed, match="Which pod"):
        resolved("restart the pod")


def test_names_that_nobody_knows_come_back_with_the_nearest() -> None:
    with pytest.raises(UnknownName, match="Did you mean checkout"):
        resolved("restart chekout")
    with pytest.raises(UnknownName, match=r"I know cart, checkout"):
        resolved("restart frobnicator in staging")
    with pytest.raises(UnknownName, match="environment called `qa`"):
        resolved("restart checkout in qa")
    with pytest.raises(Ambiguous, match="billing-writer or billing-worker"):
        resolved("restart billing")


def test_a_place_that_is_a_service_makes_it_a_question() -> None:
    assert resolved("restart loop in checkout") is None
    assert resolved("scale problem in prod") is None
