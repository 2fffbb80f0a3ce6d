"""The digest in words and as a picture: the answer first, plain, for any week."""

import io
from dataclasses import replace
from datetime import timedelta

import pytest
from PIL import Image

from bot.domain.codec import decode, encode
from bot.domain.errors import Malformed
from bot.domain.kpis import Facts, Scope
from bot.reports import digest_words as words
from bot.reports.digest import LISTED, Digest
from bot.reports.digest_words import lasting, share
from bot.reports.trend import HEIGHT, WIDTH, alt, trend
from bot.reports.weeks import zone_of
from tests.fakes.team_week import MONDAY, action, busy, diagnosis, digest_of, incident, offer

HAND = words.Hand(safe=str, moment=lambda at: f"{at:%H:%M}", place=lambda i: i.channel)


def said(made: Digest) -> str:
    found = words.parts(made, HAND)
    return "\n".join(f"{p.title}\n" + "\n".join(p.lines) for p in found)


def test_the_week_is_told_in_one_sentence_with_a_comparison() -> None:
    made = digest_of(busy())
    assert words.title(made, str) == "Week 47, 16 to 22 Nov · prod"
    assert words.answer(made) == (
        "9 incidents, 11 the week before. 8 ended, half of them within 66 min. "
        "1 was still open at the end of the week."
    )


def test_every_part_says_what_there_was() -> None:
    assert said(digest_of(busy())).splitlines() == [
        "Waiting for a person now",
        "⏸ Scale search to 6, until 08:25",
        "Still open",
        "search returns errors · prod · C0INCIDENTS, for 4 d 22 h",
        "How fast",
        "MTTD 6 min · median 6 min of 9",
        "MTTA 6 min · median 6 min of 9",
        "MTTR 66 min, week before 6 d 3 h · median 66 min of 8",
        "What I did",
        "Recovered after my action: 4 of 8, 1 by myself, 3 approved",
        "False actions: 1 of 5 carried out",
        "Verified: 4 of 5, 1 undone",
        "Was I right",
        "No incident at all, as you said: 1 that I told you of",
        "Right by your verdicts: 6 of 7, of 8 diagnoses",
        "Named a cause: 7 of 8",
        "People",
        "Escalated: 1 incident",
        "Asked to decide 6 times: 3 approved, 1 rejected, 1 ran out",
        "Decided within 4 min (median)",
        "Causes",
        "bad release at checkout: 4",
        "memory leak at cart: 2",
        "not known: 3",
        "Again",
        "bad release at checkout: 4 this week, 9 in 2 weeks since 9 Nov",
        "memory leak at cart: 2 this week, 2 since 16 Nov",
        "Kept quiet",
        "4 that I did not tell you of, with 40 alerts:",
        "recovered by itself: 3 (cart, search)",
        "flapping: 1 (mail)",
    ]


def test_an_empty_week_is_one_sentence() -> None:
    made = digest_of(Facts())
    assert words.answer(made).startswith("Nothing happened")
    assert words.parts(made, HAND) == ()
    assert made.quiet_so_far


def test_an_empty_week_after_others_says_so_and_keeps_the_trend() -> None:
    ended = MONDAY - timedelta(days=8)
    old = incident(opened_at=MONDAY - timedelta(days=9), closed_at=ended, acknowledged_at=ended)
    made = digest_of(Facts(incidents=(old,)))
    assert (made.week.empty, made.quiet_so_far, len(made.trend)) == (True, False, 3)
    trend(made)


def test_a_week_with_nothing_but_what_is_still_open_is_not_empty() -> None:
    old = incident(opened_at=MONDAY - timedelta(days=70), closed_at=None, acknowledged_at=None)
    made = digest_of(Facts(incidents=(old,)))
    assert words.answer(made) == (
        "No incident, none the week before. 1 was still open at the end of the week."
    )
    assert "for 76 d" in said(made)


def test_a_question_is_an_incident_only_if_it_was_about_trouble() -> None:
    asked = [incident(n, origin="", closed_at=None, acknowledged_at=None) for n in (1, 2, 3, 4)]
    answers = (diagnosis(1), diagnosis(2, status="healthy"), diagnosis(3, status="unknown"))
    made = digest_of(Facts(incidents=tuple(asked), diagnoses=answers))
    assert (made.week.incidents, made.week.asked, made.week.open_at_end) == (2, 2, 0)


def test_long_lists_end_with_how_many_more() -> None:
    many = tuple(incident(n) for n in range(1, 40))
    found = tuple(diagnosis(n, cause=f"cause_{n}", judged=None) for n in range(1, 40))
    made = digest_of(Facts(incidents=many, diagnoses=found))
    assert len(made.causes) == LISTED
    assert f"… and {LISTED - 5} more" in said(made)


def test_an_open_offer_of_another_team_is_not_waiting_here() -> None:
    made = digest_of(busy(), Scope(environments=("prod",), services=("cart",)))
    assert made.waiting == ()
    assert words.title(made, str) == "Week 47, 16 to 22 Nov · prod · cart"


def test_a_step_of_a_plan_counts_only_if_it_did_harm() -> None:
    steps = (action(1, step=True), action(2, step=True, outcome=None, judged=None))
    assert digest_of(Facts(actions=steps)).week.actions == 0


def test_it_survives_the_journal() -> None:
    made = digest_of(busy())
    assert decode(Digest, encode(made)) == made


def test_the_picture_shows_told_and_quiet_and_the_shares() -> None:
    image = Image.open(io.BytesIO(trend(digest_of(busy())))).convert("RGB")
    assert image.size == (WIDTH, HEIGHT)
    colours = {c: n for n, c in image.getcolors(WIDTH * HEIGHT) or []}
    for colour in ((18, 100, 163), (205, 205, 205), (200, 30, 40), (34, 139, 84)):
        assert colours.get(colour, 0) > 100, colour


@pytest.mark.parametrize("days", [0, 0.0001, 3, 400, 40_000])
def test_the_picture_can_be_drawn_for_any_duration_and_count(days: float) -> None:
    long = [
        incident(n, began_at=MONDAY - timedelta(days=min(days, 700_000)), quiet="x" * (n % 2))
        for n in range(300)
    ]
    made = digest_of(Facts(incidents=tuple(long)))
    assert trend(made).startswith(b"\x89PNG")
    assert alt(made)


def test_the_picture_of_a_single_week_can_be_drawn() -> None:
    made = digest_of(busy())
    assert trend(replace(made, trend=made.trend[-1:])).startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(None, "-"), (0.0, "0 s"), (99.4, "99 s"), (100, "2 min"), (3599, "60 min"),
     (6000, "1 h 40 min"), (7200, "2 h"), (48 * 3600, "2 d"),
     (50 * 3600, "2 d 2 h"), (9 * 86400 + 7200, "9 d")],
)  # fmt: skip
def test_durations_are_said_as_people_say_them(seconds: float | None, said: str) -> None:
    assert lasting(seconds) == said


def test_a_share_of_few_is_no_percentage() -> None:
    assert (share(1, 9), share(1, 10)) == ("1 of 9", "1 of 10 (10 %)")


@pytest.mark.parametrize("name", ["Europe/Nowhere", "", "../../etc/passwd", "x" * 5000, "Europe"])
def test_a_zone_that_is_none_is_named(name: str) -> None:
    with pytest.raises(Malformed, match="no time zone"):
        zone_of(name)


def test_offers_of_a_week_are_counted_by_how_they_ended() -> None:
    made = digest_of(Facts(offers=(offer(1), offer(2, decided_at=None, choice=None))))
    assert (made.week.offered, made.week.approved, made.week.ran_out) == (2, 1, 0)


@pytest.mark.parametrize(
    ("missed", "begins"),
    [
        (0, "What each figure means"),
        (1, "The week before was never told, because I did not run;"),
        (3, "The 3 weeks before were never told, because I did not run;"),
    ],
)
def test_weeks_that_were_never_told_are_named(missed: int, begins: str) -> None:
    made = replace(digest_of(busy()), missed=missed)
    assert words.note(made, str).startswith(begins)


@pytest.mark.parametrize(
    ("reason", "kind"),
    [
        ("recovered by itself after 40 s", "recovered by itself"),
        ("flapping: it changed 6 times in 12 min", "flapping"),
        ("not an incident, as <@U1> said on 2026-01-02 of alerts like this", "not an incident"),
        ("a warning in development", "a warning in development"),
        (": odd", ": odd"),
    ],
)
def test_reasons_of_one_kind_are_counted_together(reason: str, kind: str) -> None:
    quiet = tuple(incident(n, quiet=reason, thread_ts="") for n in range(2))
    (found,) = digest_of(Facts(incidents=quiet)).quiet
    assert (found.reason, found.incidents) == (kind, 2)
