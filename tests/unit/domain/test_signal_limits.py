"""Whatever a source sends, what is kept of it is short, printable and without secrets."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.redaction import MASK, printable, redact
from bot.domain.signal import Origin, Phase, Signal
from bot.domain.signal_limits import fitted, stable

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
KEY = "-----BEGIN PRIVATE KEY-----\nabc"  # without an end: it takes all that follows
WORDS = st.sampled_from(
    ["password:", "token", "=", "hunter22abc", KEY, "\ue000", "\n", "a", "Authorization: Bearer",
     "x" * 40, "-----END PRIVATE KEY-----", "https://me:pw@host/", "ghp_" + "a" * 30, "\x00"]
)  # fmt: skip
TEXTS = st.lists(WORDS, max_size=6).map(" ".join) | st.text(max_size=20)
PAIRS = st.dictionaries(TEXTS, TEXTS, max_size=4)


def a_signal(**changes: object) -> Signal:
    facts: dict[str, object] = {
        "key": "webhook:1", "origin": Origin.WEBHOOK, "subject": "webhook:s", "title": "t",
        "phase": Phase.FIRING, "at": NOW,
    }  # fmt: skip
    return Signal(**{**facts, **changes})  # type: ignore[arg-type]


@settings(max_examples=200, deadline=None)
@given(title=TEXTS, text=TEXTS, services=st.lists(TEXTS, max_size=3), labels=PAIRS, details=PAIRS)
def test_no_text_keeps_what_redaction_takes_out_of_it_alone(
    title: str, text: str, services: list[str], labels: dict[str, str], details: dict[str, str]
) -> None:
    signal = a_signal(
        title=title, text=text, services=tuple(services), labels=labels, details=details
    )
    kept = fitted(signal, NOW)
    assert kept.title == (
        " ".join(redact(printable(title).replace("\ue000", "")).split()) or "(no title)"
    )
    assert kept.text == redact(printable(text).replace("\ue000", ""))
    shown = [kept.title, kept.text, *kept.services, *kept.labels.values(), *kept.details.values()]
    assert not any(secret in said for said in shown for secret in ("ghp_a", "me:pw", "\x00"))


def test_one_text_without_an_end_hides_no_other() -> None:
    kept = fitted(a_signal(title="Disk full", text=KEY, labels={"a": "b", "token": "abc"}), NOW)
    assert (kept.title, kept.labels) == ("Disk full", {"a": "b", "token": MASK})
    assert "abc" not in kept.text


def test_what_is_harmless_stays_as_it_is() -> None:
    signal = a_signal(
        title="p99 of checkout is 4.1 s", text="first\n\tsecond", link="https://x.example/a?b=c",
        labels={"pod": "checkout-7c9f-x2x4z", "env": "prod"}, services=("checkout", "cart"),
        environment="prod", event="HighLatency", details={"status": "triggered"},
        began=NOW - timedelta(hours=1),
    )  # fmt: skip
    assert fitted(signal, NOW) == signal


@pytest.mark.parametrize("name", ["webhook:" + "x" * 300, "pagerduty:a\nb", "webhook:me@mail.com"])
def test_an_odd_name_gets_one_of_its_own_and_keeps_its_origin(name: str) -> None:
    assert stable(name) == stable(name) != stable(name + "y")
    assert stable(name).partition(":")[0] == name.partition(":")[0]
    assert len(stable(name)) < 100


@pytest.mark.parametrize(
    "link", ["http://x", "https://a b", "https://x|y", "javascript:1", "https://x\n"]
)
def test_a_link_is_https_or_none(link: str) -> None:
    assert fitted(a_signal(link=link), NOW).link == ""
