"""The scripts of the kill matrix that begin with a page: told, answered by a press, and called."""

from collections.abc import Mapping, Sequence

from bot.sandbox.pagerduty.directory import service_id
from tests.fakes.pagerduty import ROSA
from tests.fakes.reaper import Point
from tests.fakes.story import Json, has, text_of
from tests.scenarios.kills.scripts import (
    ASKED_FOR,
    Recovers,
    Stage,
    said,
)

RESPONDER = "U0RESPONDER"  # Rosa, in PagerDuty too


class Paged(Recovers):
    """Nobody asks: a page opens the incident. Another approves, it recovers; the page is told."""

    name = "paged"
    messages = 3  # the head is the incident's own message, in the channel
    urgency, priority = "high", "PRIO0P2"

    def points(self, moments: Sequence[Point]) -> list[Point]:
        """Return those of what comes before an investigation, and of telling the page."""
        return [point for point in moments if point.kind not in ASKED_FOR]

    def begin(self, stage: Stage) -> None:
        """Page for the service that people would ask about."""
        symptom = str(stage.truth()["symptom_service"])
        before = {p["id"] for p in pages(stage)}
        body = {"do": "open", "service": service_id("prod", symptom), "title": f"{symptom} is slow"}
        more = {"urgency": self.urgency, "priority": self.priority}
        stage.hands.post("control/pagerduty", {**body, **more})
        (stage.page,) = {p["id"] for p in pages(stage)} - before

    def people(self, stage: Stage) -> None:
        """Find the thread, and approve in it."""
        find_thread(stage)
        stage.approve()

    def head(self, stage: Stage) -> Json:
        """Return the incident's message."""
        return stage.roots()[0]

    def over(self, stage: Stage) -> bool:
        """Whether the page has its note, too, and the incident's message is up to date."""
        return (
            super().over(stage)
            and stage.records.count("page_deeds WHERE kind = 'note'") > 0
            and "recovered after" in text_of(self.head(stage))
        )

    def facts(self, stage: Stage) -> Mapping[str, bool]:
        """Return what holds of what would hold if nobody had died."""
        return {**super().facts(stage), **told_once(stage)}


class Answered(Paged):
    """A page opens the incident; one press on its message acknowledges it, and no card asks."""

    name = "answered"

    def points(self, moments: Sequence[Point]) -> list[Point]:
        """Return the press's, and those of what is done because of it."""
        return [point for point in moments if point.kind in ("press", "req")]

    def people(self, stage: Stage) -> None:
        """Once the report is there, press; again if nobody took it."""
        find_thread(stage)
        if stage.pressed or not any(has(m, "verdict_right") for m in stage.thread()):
            return
        if has(head := self.head(stage), "page_acknowledge"):
            answer = stage.hands.click(head, "page_acknowledge", user=RESPONDER)
            stage.pressed = answer.get("acked", False)

    def over(self, stage: Stage) -> bool:
        """Whether the page is acknowledged, its end known, and all of it told."""
        ended = stage.records.states("req-%-p1")
        return (
            page_of(stage)["status"] == "acknowledged"
            and stage.records.count("page_deeds WHERE kind = 'note'") > 0
            and stage.records.count("verifications") > 0
            and set(ended) == {"SUCCESS"}
            and "acknowledged" in text_of(self.head(stage))
            and not has(self.head(stage), "page_acknowledge")
        )

    def offered(self, stage: Stage) -> int:
        """Return the card of the repair that nobody approved."""
        return 1

    def facts(self, stage: Stage) -> Mapping[str, bool]:
        """Return what holds of what would hold if nobody had died."""
        count, states = stage.records.count, stage.records.states()
        asked = stage.records.states("req-%")
        by = [a["acknowledger"]["id"] for a in page_of(stage)["acknowledgements"]]
        return {
            **told_once(stage),
            "one incident": count("incidents") == 1,
            "acknowledged once, by who pressed": by == [ROSA],
            "nothing else was done": stage.hands.actions_done() == [],
            "one decision, the press": count("decisions WHERE used AND choice = 'approve'") == 1
            and count("decisions") == 1,
            "one execution": count("executions")
            == count("executions WHERE status = 'applied'")
            == 1,
            "its end in the audit once": count("audit WHERE event = 'decided'") >= 1
            and count("audit WHERE event = 'executed'") == 1,
            "one request, one answer": asked == {"SUCCESS": 2},
            "the head offers what is left": has(self.head(stage), "page_resolve"),
            "nothing failed in the journal": not set(states) - {"SUCCESS", "PENDING"},
        }


class Called(Paged):
    """A page that calls nobody: what it is about will break soon, so the bot calls somebody."""

    name, incident, seed = "called", "redis-pressure", 1
    urgency, priority = "low", "PRIO0P3"

    def points(self, moments: Sequence[Point]) -> list[Point]:
        """Return those of ruling and of calling."""
        return [point for point in moments if point.kind == "call"]

    def people(self, stage: Stage) -> None:
        """Find the thread."""
        find_thread(stage)

    def over(self, stage: Stage) -> bool:
        """Whether somebody is called, the page says why, and the thread too."""
        return (
            stage.records.count("page_deeds WHERE kind = 'ruling'") > 0
            and stage.records.count("page_deeds WHERE kind = 'note'") > 0
            and said(stage.thread(), "I called Rosa Responder") > 0
            and "low urgency" not in text_of(self.head(stage))
        )

    def offered(self, stage: Stage) -> int:
        """Return the card of the repair, if there is one: nobody approved it."""
        return stage.records.count("proposals")

    def facts(self, stage: Stage) -> Mapping[str, bool]:
        """Return what holds of what would hold if nobody had died."""
        count, states = stage.records.count, stage.records.states()
        called = [c for c in stage.hands.get("control/pagerduty")["called"]
                  if c["incident"] == stage.page]  # fmt: skip
        return {
            "one incident": count("incidents") == 1,
            "one person is called, once": called == [{"incident": stage.page, "user": ROSA}],
            "told once who was called": said(stage.thread(), "I called Rosa Responder") == 1,
            "the report and the reason on the page": len(page_of(stage)["notes"]) == 2,
            "each on record once": [
                count(f"page_deeds WHERE kind = '{kind}'") for kind in ("note", "ruling", "call")
            ]
            == [1, 1, 1],
            "in the audit": count("audit WHERE event = 'paged'") >= 1,
            "nothing was done": stage.hands.actions_done() == [] and count("executions") == 0,
            "nothing failed in the journal": not set(states) - {"SUCCESS", "PENDING"},
        }


def find_thread(stage: Stage) -> None:
    """Look whether the incident's message is there: its thread is the story's."""
    if not stage.ts and (found := stage.roots()):
        stage.ts = str(found[0]["ts"])


def pages(stage: Stage) -> list[Json]:
    """Return all incidents of PagerDuty."""
    return list(stage.hands.get("control/pagerduty")["incidents"])


def page_of(stage: Stage) -> Json:
    """Return the story's page."""
    (page,) = [p for p in pages(stage) if p["id"] == stage.page]
    return page


def told_once(stage: Stage) -> dict[str, bool]:
    """Return what holds of a page that opened an incident and was told the report."""
    count = stage.records.count
    return {
        "one note on the page": len(page_of(stage)["notes"]) == 1,
        "one note on record, and no other deed": count("page_deeds") == 1,
        "every signal drained": count("inbox") > 0
        and count("inbox WHERE done_at IS NULL") + count("dead_letters") == 0,
        "one alert": count("alerts") == 1,
    }


PAGED, ANSWERED, CALLED = Paged(), Answered(), Called()
