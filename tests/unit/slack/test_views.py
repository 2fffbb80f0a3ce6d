"""What people read: the words of the voice, Slack's limits, and nothing of the data's power."""

import json
import re
from dataclasses import replace
from datetime import timedelta
from itertools import product
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.domain.action import BlastRadius
from bot.domain.conversation import CardState, InvestigationRow, Mark, Notice
from bot.domain.diagnosis import Progress, Ranked, RuledOut, Status, Step, Symptom
from bot.domain.errors import Refused, Transient, Unavailable, UnknownName
from bot.domain.people import Role
from bot.domain.policy import Verdict
from bot.domain.snapshot import BlindSpot, Source
from bot.sandbox.workspace.blockkit import check, check_view
from bot.slack.views import modals
from bot.slack.views.blocks import Message
from bot.slack.views.card import card as card_view
from bot.slack.views.head import head as head_view
from bot.slack.views.home import home, home_error
from bot.slack.views.notice import error, help_text, notice
from bot.slack.views.report import report as report_view
from bot.slack.views.text import code, cut, data, link, mrkdwn, quantity, told
from bot.slack.views.words import title
from tests.unit.slack.samples import (
    GRAPH,
    NOW,
    WINDOW,
    card,
    decision,
    diagnosis,
    evidence,
    execution,
    head,
    hypothesis,
    proposal,
    question,
    report,
    ruling,
    unknown,
    verification,
)

HOSTILE = (
    "<!channel> <@U0ADMIN> @here @everyone @channel <https://evil.example|click> "
    "https://evil.example "
    "`x` ```y``` *b* _i_ ~s~ & < > \u202egnp\u2066 \x00\x07 \ud800 🏴 AKIAIOSFODNN7EXAMPLE "
    "postgres://root:hunter2@db/x bob@corp.example password=hunter2 eyJhbGciOi.eyJzdWIiOi.abc "
)
LONG = HOSTILE * 200


def shown(message: Message) -> str:
    """All text of the blocks, as a reader sees it."""
    return "\n".join(text for block in message.blocks for text in texts(block))


def texts(value: Any) -> list[str]:
    if isinstance(value, dict):
        own = [value["text"]] if value.get("type") in ("mrkdwn", "plain_text") else []
        return own + [t for v in value.values() for t in texts(v)]
    return [t for v in value for t in texts(v)] if isinstance(value, list) else []


def action_ids(message: Message) -> list[str]:
    rows = [b for b in message.blocks if b["type"] == "actions"]
    return [e["action_id"] for row in rows for e in row["elements"]]


def is_harmless(message: Message) -> None:
    assert check(list(message.blocks), surface="message") == []
    everything = json.dumps([message.text, message.blocks], ensure_ascii=False)
    everything.encode()  # no lone surrogate
    assert 0 < len(message.text) <= 4000
    for teeth in (
        "<!channel", "<@U0ADMIN", "@here", "@everyone", "@channel", "<https://evil", "hunter2",
        "AKIAIOSFODNN7EXAMPLE", "bob@corp", "\u202e", "\\u0000",
    ):  # fmt: skip
        assert teeth not in everything, teeth
    for text in texts(list(message.blocks)):  # inside code a link is inert, and can be copied
        assert "https://evil" not in re.sub(r"```[^`]*```|`[^`]*`", "", text)


class TestHead:
    def test_while_it_runs_says_what_was_looked_at_and_what_is_awaited(self) -> None:
        lines = shown(head_view(head())).splitlines()
        assert lines[0] == "🔎 *checkout is slow* · prod · investigating, 6 s"
        assert lines[1].startswith("p99 4.1 s, usually 0.2 s, since <!date^")
        assert lines[2] == "Looked at: metrics ✓  changes ✓  logs …  traces …"
        assert lines[3] == "On call: @payments-primary"

    def test_with_a_root_cause_gives_the_answer_and_what_comes_next(self) -> None:
        line = "⏸ Roll back to v2.40? waiting for an approver"
        lines = shown(head_view(head(diagnosis(), action_line=line))).splitlines()
        assert lines[0] == "🔴 *checkout is slow* · prod · root cause found, 91 % sure, in 6 s"
        assert lines[1].startswith("checkout v2.41 runs one query per cart item since <!date^")
        assert lines[2] == line

    @pytest.mark.parametrize(
        ("diagnosed", "first"),
        [
            (diagnosis(confidence=0.62), "🟡 *checkout is slow* · prod · not sure, 62 %, in 6 s"),
            (unknown(), "⚪ *checkout is slow* · prod · unknown, in 6 s"),
            (
                diagnosis(status=Status.HEALTHY, causes=()),
                "🟢 *checkout is slow* · prod · healthy, in 6 s",
            ),
        ],
    )
    def test_marks_come_with_their_word(self, diagnosed: Any, first: str) -> None:
        assert shown(head_view(head(diagnosed))).splitlines()[0] == first

    def test_has_six_lines_at_most_with_everything_in_it(self) -> None:
        two = (Ranked(hypothesis=hypothesis(), confidence=0.9),) * 2
        for diagnosed in (None, diagnosis(causes=two), unknown()):
            message = head_view(head(diagnosed, action_line="⏸ waiting"))
            assert len(shown(message).splitlines()) <= 6
            is_harmless(message)

    def test_certainty_is_never_claimed(self) -> None:
        assert "99 % sure" in shown(head_view(head(diagnosis(confidence=1.0))))

    @pytest.mark.parametrize(
        ("services", "symptom", "words"),
        [
            (("checkout",), Symptom.ANY, "checkout"),
            ((), Symptom.DOWN, "something is down"),
            ((), Symptom.ANY, "all services"),
            (("a", "b"), Symptom.ERRORS, "a and b return errors"),
            (("a", "b", "c", "d"), Symptom.SLOW, "a, b and 2 more are slow"),
        ],
    )
    def test_title_is_the_complaint(self, services: Any, symptom: Symptom, words: str) -> None:
        assert title(question(services=services, symptom=symptom)) == words

    def test_fallback_text_reads_without_blocks(self) -> None:
        text = head_view(head(diagnosis())).text
        assert text.startswith("🔴 checkout is slow in prod: root cause found, 91 % sure. checkout")


class TestReport:
    def test_answer_first_then_numbered_evidence_with_link_and_window(self) -> None:
        lines = shown(report_view(report())).splitlines()
        assert lines[0].startswith("*Why*: checkout v2.41 runs one query per cart item since")
        assert lines[0].endswith("UTC>. 91 % sure.")
        assert lines[1].startswith("1  catalogue requests per checkout went 3 → 47 at <!date^")
        assert "|graph>, <!date^" in lines[1]
        assert lines[2].startswith("2  p99 rose 0.2 → 4.1 s at <!date^")
        assert lines[3].startswith("3  against: the database's CPU is normal")

    def test_says_what_it_was_not_and_what_could_not_be_seen(self) -> None:
        text = shown(report_view(report()))
        assert "*Not the cause*: frontend v9.3: touches no backend call" in text
        assert "• payment: slow only when called by checkout" in text
        assert "*Could not see*: traces (Tempo timed out)." in text
        assert "Looked at metrics, changes, Kubernetes · 4 queries · 8 s" in text

    def test_can_be_judged_and_questioned(self) -> None:
        message = report_view(report())
        assert action_ids(message) == ["verdict_right", "verdict_wrong", "show_steps", "ask"]
        values = {
            e["value"] for b in message.blocks if b["type"] == "actions" for e in b["elements"]
        }
        assert values == {"inv-Ev1"}

    def test_unknown_is_a_good_answer(self) -> None:
        lines = shown(report_view(report(diagnosis=unknown()))).splitlines()
        assert lines[0].startswith("⚪ *I don't know yet.*")
        assert lines[1] == (
            "Most likely slow dependency of deployment/checkout (41 %)"
            " or traffic surge of deployment/checkout (30 %)."
        )
        assert any(line == "*What would tell*: traces." for line in lines)

    def test_healthy_is_a_good_answer(self) -> None:
        well = diagnosis(
            status=Status.HEALTHY, causes=(), summary="p99 crossed 0.5 s for 40 s at 14:03."
        )
        first = shown(report_view(report(diagnosis=well))).splitlines()[0]
        assert first.startswith("🟢 *Nothing is wrong now.* p99 crossed 0.5 s for 40 s at <!date^")

    def test_two_causes_are_both_shown_with_their_evidence(self) -> None:
        second = Ranked(hypothesis=hypothesis(summary="redis evicts sessions"), confidence=0.8)
        both = diagnosis(causes=(diagnosis().causes[0], second))
        text = shown(report_view(report(diagnosis=both)))
        assert "*Also*: redis evicts sessions" in text
        assert "\n6  against:" in text

    def test_nothing_found_at_all_is_still_a_report(self) -> None:
        empty = diagnosis(
            status=Status.UNKNOWN, confidence=0.0, summary="", causes=(), ranked=(), ruled_out=(),
            blind_spots=(), onset=None, signal=None,
        )  # fmt: skip
        is_harmless(report_view(report(diagnosis=empty, steps=(), looked_at=())))


class TestCard:
    def test_level_3_says_what_it_does_touches_changes_watches(self) -> None:
        lines = shown(card_view(card())).splitlines()
        assert lines[0] == (
            "⏸ *Roll back checkout to v2.40* · prod · L3, one approver, not the requester"
        )
        assert "Does: `kubectl rollout undo deployment/checkout --to-revision=40 -n shop`" in lines
        touches = "12 of 12 pods of checkout, prod, 100 %, at one time 3 (25 %); PDB allows 3"
        assert f"Touches: {touches}" in lines
        assert "Changes: `image: checkout:v2.41 → checkout:v2.40`" in lines
        assert (
            "Watches: p99 of checkout &lt; 0.5 s within 10 min."
            " If worse: I take it back by myself." in lines
        )
        record = "9 of 9 rollbacks of checkout verified (lower bound 70 %)"
        undo = "yes, by `rollback_deployment namespace=shop name=checkout to_revision=41`"
        assert f"Undo: {undo}. Last time: {record}." in lines

    def test_the_blast_radius_is_said_in_words(self) -> None:
        made = card().proposal
        blast = BlastRadius(pods=1, pods_total=12, workload_ratio=1 / 12, fleet_ratio=0.01)
        touched = replace(made.dry_run, blast_radius=replace(blast, touched=2))
        said = shown(card_view(card(proposal=replace(made, dry_run=touched))))
        assert "Touches: 2 of 12 pods of checkout, prod, 16 %, at one time 1 (8 %)" in said
        pod = replace(made.target, kind="Pod")
        one = replace(made, target=pod, dry_run=replace(made.dry_run, blast_radius=blast))
        assert "Touches: 1 of 12 pods of checkout" in shown(card_view(card(proposal=one)))

    def test_after_the_decision_it_says_who_and_when_and_has_no_buttons(self) -> None:
        for state in CardState:
            if state is not CardState.WAITING:
                assert action_ids(card_view(card(state=state))) == []

    def test_break_glass_is_offered_only_to_who_asked_for_it_themselves(self) -> None:
        made = card().proposal
        assert "break_glass" not in action_ids(card_view(card()))
        asked = replace(made, requester="U0ROSA")
        assert "break_glass" in action_ids(card_view(card(proposal=asked)))
        for_good = replace(asked, inverse=None)
        assert "break_glass" not in action_ids(card_view(card(proposal=for_good)))

    @pytest.mark.parametrize(
        ("level", "verdict", "buttons"),
        [
            (1, Verdict.SUGGEST, []),
            (2, Verdict.ONE_CLICK, ["run", "reject"]),
            (3, Verdict.APPROVAL, ["approve", "reject"]),
            (4, Verdict.AUTONOMOUS, []),
            (3, Verdict.DENY, []),
        ],
    )
    def test_buttons_follow_the_ruling(
        self, level: int, verdict: Verdict, buttons: list[str]
    ) -> None:
        made = card(level=level, ruling=ruling(verdict))
        assert action_ids(card_view(made)) == buttons

    def test_level_1_shows_the_command_to_copy_and_no_button_in_any_state(self) -> None:
        suggestion = card(state=CardState.SUGGESTED, level=1, ruling=ruling(Verdict.SUGGEST))
        text = shown(card_view(suggestion))
        assert "```kubectl rollout undo deployment/checkout --to-revision=40 -n shop```" in text
        assert "L1, for a person to run" in text
        for state in CardState:
            made = card(state=state, level=1, ruling=ruling(Verdict.SUGGEST))
            assert action_ids(card_view(made)) == []

    @pytest.mark.parametrize("state", [s for s in CardState if s is not CardState.WAITING])
    def test_nothing_can_be_approved_once_it_is_decided(self, state: CardState) -> None:
        assert action_ids(card_view(card(state=state))) == []

    def test_undo_is_offered_only_when_it_can_be_done(self) -> None:
        done = card(state=CardState.RECOVERED, execution=execution(), can_undo=True)
        assert action_ids(card_view(done)) == ["undo"]
        assert action_ids(card_view(replace(done, can_undo=False))) == []

    def test_a_button_that_acts_asks_once_more(self) -> None:
        row = card_view(card()).blocks[-1]
        assert row["elements"][0]["confirm"]["text"]["text"] == (
            "Roll back checkout to v2.40 in prod. It can be undone."
        )

    @pytest.mark.parametrize(
        ("state", "words"),
        [
            (
                CardState.RECOVERED,
                "🟢 recovered after this action: p99 0.2 s since <!date^",
            ),
            (CardState.NOT_VERIFIED, "🟡 not verified: p99 0.2 s since <!date^"),
            (CardState.UNDONE, "↩ undone: I took it back."),
            (CardState.REFUSED, "⛔ Not run: production needs an approver (rule prod-two-people)"),
            (CardState.EXPIRED, "Expired: nobody decided in time. Nothing was done."),
            (CardState.WITHDRAWN, "🛑 withdrawn. Nothing was done."),
        ],
    )
    def test_outcomes_in_the_voice(self, state: CardState, words: str) -> None:
        made = card(state=state, verification=verification(), execution=execution())
        assert words in shown(card_view(made))

    def test_decisions_name_who_and_when(self) -> None:
        text = shown(card_view(card(state=CardState.ACTING, decisions=(decision(),))))
        assert f"✅ approved by <@U0ANIL> at <!date^{int(NOW.timestamp())}^" in text

    def test_a_promise_to_watch_names_its_end(self) -> None:
        until = NOW + timedelta(minutes=10)
        text = shown(card_view(card(state=CardState.WATCHING, watching_until=until)))
        assert f"Watching until <!date^{int(until.timestamp())}^" in text

    def test_a_missing_dry_run_and_a_failed_one_are_said(self) -> None:
        bare = card(proposal=proposal(dry_run=None, target=None, inverse=None))
        assert "`rollback_deployment namespace=shop name=checkout to_revision=40`" in shown(
            card_view(bare)
        )
        assert "Undo: no, it cannot be taken back" in shown(card_view(bare))
        made = proposal().dry_run
        assert made is not None
        failed = replace(made, ok=False, detail="forbidden: no right to patch")
        assert "The dry-run failed: forbidden: no right to patch" in shown(
            card_view(card(proposal=proposal(dry_run=failed)))
        )

    def test_what_the_bot_does_itself_is_not_shown_as_waiting(self) -> None:
        message = card_view(card(level=4, ruling=ruling(Verdict.AUTONOMOUS)))
        assert shown(message).startswith("▶ *Roll back checkout to v2.40*")
        assert message.text == "Roll back checkout to v2.40 in prod: ▶ I am about to run this."

    def test_two_approvers_are_counted_down(self) -> None:
        two = ruling(approvals_needed=2, approver_role=Role.APPROVER)
        text = shown(card_view(card(ruling=two, decisions=(decision(),))))
        assert "L3, two approvers, not the requester" in text
        assert "one more needed." in text

    def test_every_state_and_ruling_is_valid_and_speaks(self) -> None:
        for state, verdict in product(CardState, Verdict):
            message = card_view(card(state=state, ruling=ruling(verdict), can_undo=True))
            is_harmless(message)


class TestHostileData:
    def test_head_report_card_and_notice_stay_valid_and_harmless(self) -> None:
        is_harmless(head_view(_hostile_head()))
        is_harmless(report_view(_hostile_report()))
        for state in CardState:
            is_harmless(card_view(_hostile_card(state)))
        # a notice may mention a person on purpose; all the rest of the teeth are pulled
        is_harmless(notice(Notice(mark=Mark.UNKNOWN, text=LONG.replace("<@U0ADMIN>", ""))))

    def test_modals_and_home_stay_valid(self) -> None:
        row = InvestigationRow(
            id="i", environment=LONG, title=LONG, state=LONG, started_at=NOW, channel=LONG,
            thread_ts="1", waiting=(LONG, LONG),
        )  # fmt: skip
        for view in (modals.steps(_hostile_report()), home((row,) * 500), home(())):
            assert check_view(view) == []
            assert "hunter2" not in json.dumps(view)
            assert "<!channel" not in json.dumps(view)

    @given(text=st.text(max_size=300))
    @settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    def test_any_text_anywhere_is_valid_block_kit(self, text: str) -> None:
        said = report(
            investigation_id="inv-1",
            question=question(services=(text,), environment=text),
            diagnosis=diagnosis(summary=text, blind_spots=(_blind(text),)),
            looked_at=(text,),
        )
        assert check(list(report_view(said).blocks), surface="message") == []
        made = card(proposal=proposal(title=text, reason=text), note=text)
        assert check(list(card_view(made).blocks), surface="message") == []


def _blind(text: str) -> BlindSpot:
    return BlindSpot(system=text, reason=text, wanted=text)


def _hostile_head() -> Any:
    progress = Progress(
        elapsed_s=1e9, looked_at=(LONG,) * 50, waiting_for=(LONG,) * 50, observation=LONG
    )
    return head(
        question=question(services=(LONG,) * 9, environment=LONG),
        progress=progress,
        on_call="@here <!channel>",
        action_line=LONG.replace("<@U0ADMIN>", ""),
    )


def _hostile_report() -> Any:
    source = Source(system=LONG, query=LONG, window=WINDOW, link=f"https://evil.example/{LONG}")
    bad = replace(evidence(LONG, 1.0), source=source)
    ranked = Ranked(
        hypothesis=hypothesis(
            cause=LONG, object=LONG, summary=LONG, evidence=(bad,) * 60, change=None
        ),
        confidence=0.9,
    )
    return report(
        question=question(services=(LONG,), environment=LONG),
        diagnosis=diagnosis(
            summary=LONG,
            causes=(ranked,) * 6,
            ranked=(ranked,) * 6,
            ruled_out=(RuledOut(what=LONG, why=LONG, source=source),) * 80,
            blind_spots=(_blind(LONG),) * 80,
        ),
        steps=tuple(Step(number=n, source=source, took_s=1.0, found=LONG) for n in range(400)),
        looked_at=(LONG,) * 40,
    )


def _hostile_card(state: CardState) -> Any:
    dry_run = proposal().dry_run
    assert dry_run is not None
    made = proposal(
        title=LONG, reason=LONG, trade_off=LONG, track_record=LONG,
        dry_run=replace(dry_run, command=LONG, diff=LONG + "\n" + LONG),
    )  # fmt: skip
    return card(
        state=state, proposal=made, note=LONG, verification=verification(LONG), can_undo=True,
        execution=execution(), decisions=(decision(reason=LONG, actor_id=LONG),) * 40,
    )  # fmt: skip


class TestText:
    def test_clock_times_of_the_analysts_are_shown_in_the_readers_zone(self) -> None:
        stamp = int(NOW.replace(hour=14, minute=1).timestamp())
        assert told("since 14:01", NOW) == f"since <!date^{stamp}^{{time}}|14:01 UTC>"

    def test_a_time_of_last_night_is_not_moved_to_today(self) -> None:
        stamp = int((NOW.replace(hour=23, minute=50) - timedelta(days=1)).timestamp())
        assert f"^{stamp}^" not in told("since 23:50", NOW.replace(hour=14))
        assert f"^{stamp}^" in told("since 23:50", NOW.replace(hour=1))

    @pytest.mark.parametrize(
        "text", ["image nginx:12:30", "10.0.0.1:14:01", "2026-11-21T14:01:02", "v1.14:01-rc"]
    )
    def test_what_only_looks_like_a_time_stays(self, text: str) -> None:
        assert told(text, NOW) == text

    @pytest.mark.parametrize(
        "url",
        [
            "javascript:alert(1)", "https://", "ftp://x/y", "https://x/\u202e", "", None,
            "https://user:hunter2@x/y", "https://x/" + "a" * 3000,
        ],
    )  # fmt: skip
    def test_only_plain_web_addresses_become_links(self, url: str | None) -> None:
        assert link(url, "graph") == ""

    def test_a_link_cannot_break_out(self) -> None:
        made = link("https://x/a|b>c d<e", "graph")
        assert made == "<https://x/a%7Cb%3Ec%20d%3Ce|graph>"

    def test_code_cannot_be_closed_from_inside(self) -> None:
        assert code("a`b") == "`a'b`"

    def test_a_cut_never_leaves_half_an_entity_or_an_open_code_span(self) -> None:
        for limit in range(40, 80):
            short = cut("<" * 3 + data("a & b < c > `d` " * 20), limit)
            assert len(short) <= limit + 1
            assert short.count("`") % 2 == 0

    def test_mrkdwn_keeps_the_bots_own_mentions_and_nothing_else(self) -> None:
        text = mrkdwn("<@U0ANIL> <!subteam^S0APP> <!channel> <https://e.example|x> a<b &lt;")
        assert text == (
            "<@U0ANIL> <!subteam^S0APP> &lt;!channel&gt; "
            "&lt;https:\u200b//e.example|x&gt; a&lt;b &lt;"
        )

    @pytest.mark.parametrize(
        ("value", "unit", "words"),
        [
            (0.25, "ratio", "25 %"), (4.1, "s", "4.1 s"), (0.02, "s", "20 ms"),
            (1610612736, "B", "1.5 GiB"), (47.0, "1/s", "47 /s"), (0.0, "s", "0 s"),
            (12345.0, "messages", "12,345 messages"),
        ],
    )  # fmt: skip
    def test_numbers_have_units(self, value: float, unit: str, words: str) -> None:
        assert quantity(value, unit) == words


class TestModalsAndNotices:
    def test_steps_list_every_query_with_where_when_and_what_it_found(self) -> None:
        text = "\n".join(texts(modals.steps(report())["blocks"]))
        assert "histogram_quantile(0.99" in text
        assert "120 ms · 4 series" in text

    def test_the_full_text_that_was_cut_is_in_the_steps(self) -> None:
        full = "x" * 1_900 + "END"
        long = diagnosis(causes=(Ranked(hypothesis=hypothesis(evidence=(evidence(full),)),
                                        confidence=0.9),))  # fmt: skip
        assert "END" not in shown(report_view(report(diagnosis=long)))
        assert "full text in Show steps" in shown(report_view(report(diagnosis=long)))
        assert "END" in "\n".join(texts(modals.steps(report(diagnosis=long))["blocks"]))

    def test_every_modal_is_valid(self) -> None:
        for view in (
            modals.loading(), modals.steps(report()), modals.steps(report(steps=())),
            modals.reject_reason("{}"), modals.wrong_verdict("{}"), modals.ask_something("{}"),
            modals.message_modal("Steps", help_text()), home_error(help_text()),
        ):  # fmt: skip
            assert check_view(view) == []

    def test_errors_name_the_thing_and_the_way_out(self) -> None:
        problem = UnknownName("service", "chekout", near=("checkout",), place="prod")
        assert error(problem).text == (
            "I don't know a service called `chekout` in prod. Did you mean checkout?"
        )
        refused = error(Refused("you asked for it yourself", rule="prod-two-people"))
        assert (refused.mark, refused.text) == (
            Mark.REFUSED,
            "Not run: you asked for it yourself (rule prod-two-people)",
        )
        for broken in (Transient("x"), Unavailable("database", "locked")):
            assert error(broken).text.startswith("Not taken, try again.")

    def test_a_link_of_a_source_is_shown_under_our_own_word(self) -> None:
        assert f"<{GRAPH.link}|graph>" in shown(report_view(report()))


def test_a_plan_shows_every_step_before_the_click() -> None:
    first = proposal(id="inv-Ev1-p1-s1", title="Raise the quota pods of shop to 40")
    whole = card(proposal=proposal(preparations=(first,)))
    text = shown(card_view(whole))
    assert "First, step 1 of 2: Raise the quota pods of shop to 40" in text
    assert text.index("Raise the quota") < text.index("Then, when that is in place")
    assert check(list(card_view(whole).blocks), surface="message") == []
    assert "2 steps, one after the other" in json.dumps(card_view(whole).blocks)


def test_a_plan_of_hostile_steps_stays_within_slacks_limits() -> None:
    first = proposal(title=LONG, reason=LONG)
    whole = card(proposal=proposal(preparations=(first,) * 8))
    assert check(list(card_view(whole).blocks), surface="message") == []
