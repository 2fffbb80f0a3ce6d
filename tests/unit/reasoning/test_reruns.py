"""Which run is to be run again is said with its attempt, or asked back."""

import pytest

from bot.domain.errors import Malformed
from bot.domain.wish import Verb, Wish
from bot.reasoning.wishes import wish_of

LINK = "https://github.com/shop/checkout/actions/runs/123456"


@pytest.mark.parametrize(
    ("text", "more"),
    [
        ("rerun deployment 123456 attempt 2 of checkout", {}),
        (f"re-run {LINK}/attempts/2 for checkout", {}),
        ("please rerun the failed jobs of run 123456 attempt 2 of checkout in prod because flaky",
         {"kind": "failed jobs", "place": "prod", "reason": "flaky"}),
    ],
)  # fmt: skip
def test_a_run_is_named_by_number_or_link(text: str, more: dict[str, str]) -> None:
    wanted = Wish(verb=Verb.RERUN, name="checkout", **{"kind": "run", "goal": "123456/2", **more})
    assert wish_of(text) == wanted


@pytest.mark.parametrize(
    "text", ["rerun deployment 123456 of checkout", f"rerun {LINK} of checkout"]
)
def test_without_its_attempt_it_is_asked_back(text: str) -> None:
    with pytest.raises(Malformed, match="Which attempt"):
        wish_of(text)


@pytest.mark.parametrize(
    "text",
    ["rerun", "rerun the tests", "rerun 123456", "rerun deployment 12 attempt 1 of checkout",
     "why did we rerun deployment 123456 attempt 1 of checkout?",
     f"rerun {LINK}/attempts/2?x=1 of checkout"],
)  # fmt: skip
def test_what_names_no_run_of_a_service_asks_for_nothing(text: str) -> None:
    assert wish_of(text) is None
