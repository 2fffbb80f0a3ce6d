"""The scripts of the kill matrix: what people do, when it is over, what must hold then."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Protocol

from tests.fakes.reaper import Point
from tests.fakes.story import Hands, Json, has, saying, text_of
from tests.scenarios.kills.records import Records

INCIDENT = "pool-exhausted"
ASKED_FOR = ("mention", "investigate", "remediate", "click")  # of what people ask about


class Stage(Protocol):
    """What a script sees of its story, and what it can have people do."""

    ts: str  # of the thread, "" until there is one
    before: Json  # what the action changes, as it was
    worsened: bool
    page: str  # PagerDuty's incident, if that is how it began
    pressed: bool  # and whether somebody answered it

    @property
    def hands(self) -> Hands:
        """What people do."""
        ...

    @property
    def records(self) -> Records:
        """What SQL holds."""
        ...

    def thread(self) -> list[Json]:
        """Return what people see of it."""
        ...

    def truth(self) -> Json:
        """Return what is wrong."""
        ...

    def roots(self) -> list[Json]:
        """Return what was posted in the channel itself since it began."""
        ...

    def target(self) -> Json:
        """Return what the action changes, as it is."""
        ...

    def approve(self) -> None:
        """Press the button, if it is there."""
        ...


class Script(Protocol):
    """One course of events."""

    @property
    def name(self) -> str:
        """What it is called in the table."""
        ...

    @property
    def incident(self) -> str:
        """What goes wrong."""
        ...

    @property
    def seed(self) -> int:
        """Which of the incident's variants it is."""
        ...

    def begin(self, stage: Stage) -> None:
        """Have somebody, or something, tell of the trouble."""
        ...

    def points(self, moments: Sequence[Point]) -> list[Point]:
        """Return those of an undisturbed life that the script is there for."""
        ...

    def people(self, stage: Stage) -> None:
        """Do what people do at this moment."""
        ...

    def over(self, stage: Stage) -> bool:
        """Whether it has come to its end."""
        ...

    def offered(self, stage: Stage) -> int:
        """Return how many cards still ask for an approval then."""
        ...

    def facts(self, stage: Stage) -> Mapping[str, bool]:
        """Return what holds of what would hold if nobody had died."""
        ...


class Recovers:
    """A person asks, another approves, it recovers and is told."""

    name, incident, seed = "recovers", INCIDENT, 1
    messages = 4  # head, report, chart, card

    def points(self, moments: Sequence[Point]) -> list[Point]:
        """Return all of an investigation and a repair."""
        return [point for point in moments if point.kind in ASKED_FOR]

    def begin(self, stage: Stage) -> None:
        """Ask."""
        asked(stage)

    def people(self, stage: Stage) -> None:
        """Do what people do at this moment."""
        stage.approve()

    def head(self, stage: Stage) -> Json:
        """Return the message that says how it stands."""
        return stage.thread()[0]

    def offered(self, stage: Stage) -> int:
        """Return none."""
        return 0

    def over(self, stage: Stage) -> bool:
        """Whether it recovered and all was told; it stays around for a change of mind."""
        if not saying("recovered after this action")(stage.thread()):
            return False
        steps = stage.records.steps("-p1")
        last = max((i for i, s in enumerate(steps) if s == "wait for a message"), default=-1)
        return "tell of levels" in steps and last > steps.index("tell of levels")

    def facts(self, stage: Stage) -> Mapping[str, bool]:
        """Return what holds of what would hold if nobody had died."""
        thread, count = stage.thread(), stage.records.count
        states = stage.records.states()
        return {
            **told_and_decided_once(stage),
            "all messages": len(thread) == self.messages,
            "one report": sum(has(m, "verdict_right") for m in thread) == 1,
            "the head says how it ended": "recovered after" in text_of(self.head(stage)),
            "acted once": done_once(stage) == 1,
            "one investigation, one proposal": (
                count("investigations WHERE report IS NOT NULL"),
                count("proposals"),
            )
            == (1, 1),
            "one execution, verified": (
                count("executions"),
                count("executions WHERE status = 'applied'"),
                count("verifications WHERE outcome = 'recovered'"),
            )
            == (1, 1, 1),
            "no breaker counts": count("breakers WHERE failures > 0") == 0,
            # one workflow still waits for a change of mind
            "nothing failed or hangs in the journal": states.pop("PENDING", 0) == 1
            and set(states) <= {"SUCCESS"},
        }


class Undoes:
    """A person asks, another approves, it gets worse: the bot takes it back and looks again."""

    name, incident, seed = "undoes", INCIDENT, 3

    def points(self, moments: Sequence[Point]) -> list[Point]:
        """Return the undo's; the steps before, and those of the next look, are passed elsewhere."""
        began = next(n for n, point in enumerate(moments) if point.step == "settle")
        return [point for point in moments[began:] if point.kind in ASKED_FOR]

    def begin(self, stage: Stage) -> None:
        """Ask."""
        stage.before = stage.target()
        asked(stage)

    def people(self, stage: Stage) -> None:
        """Approve; once it acted, let something else make it much worse."""
        if not stage.worsened and stage.hands.actions_done():
            stage.hands.post("control/worsen", {})
            stage.worsened = True
        if not stage.worsened:  # nobody approves what is offered afterwards
            stage.approve()

    def over(self, stage: Stage) -> bool:
        """Whether the repair has ended, and the second investigation too."""
        states = stage.records.states
        ended = states("-p1") == {"SUCCESS": 1} or states("-again1-p1")
        return bool(ended) and states("-again1") == {"SUCCESS": 1} and self._settled(stage)

    def _settled(self, stage: Stage) -> bool:
        """Whether what is offered next, if anything, is offered."""
        return all("show offer" in stage.records.steps(f"-again1-p{n}") for n in (1, 2)
                   if stage.records.states(f"-again1-p{n}"))  # fmt: skip

    def offered(self, stage: Stage) -> int:
        """Return what the second investigation offers."""
        return sum(stage.records.states("-again1-p%").values())

    def facts(self, stage: Stage) -> Mapping[str, bool]:
        """Return what holds of what would hold if nobody had died."""
        thread, count = stage.thread(), stage.records.count
        states, waits = stage.records.states(), self.offered(stage)
        keyed = "environment = 'prod' AND action = 'revert_config'"
        return {
            **told_and_decided_once(stage),
            "acted once, undone once": done_once(stage) == 2,
            "all is as it was": stage.target() == stage.before,
            "told once that it was taken back": said(thread, "I took it back") == 1,
            "told once that the level is lower": said(thread, "is at L1 now") == 1,
            "two reports": sum(has(m, "verdict_right") for m in thread) == 2,
            "two investigations": count("investigations WHERE report IS NOT NULL") == 2,
            "one execution and its undo": (
                count("executions WHERE NOT is_undo"),
                count("executions WHERE is_undo"),
                count("executions WHERE status = 'undone' AND NOT is_undo"),
                count("executions WHERE status = 'applied' AND is_undo"),
            )
            == (1, 1, 1, 1),
            "verified as worse": count("verifications WHERE outcome = 'worse'") == 1
            and count("verifications") == 1,
            "its undo in the audit once": count("audit WHERE event = 'undone'") == 1,
            "one failure counted, here and over all": count("breakers WHERE failures = 1") == 2
            and count(f"breakers WHERE {keyed}") == count("breakers") - 1 == 1,
            "the level lowered": count(f"autonomy_levels WHERE {keyed} AND level = 1") == 1,
            "nothing failed or hangs in the journal": states.pop("PENDING", 0) <= waits
            and set(states) <= {"SUCCESS"},
        }


def asked(stage: Stage) -> None:
    """Have a person ask what is wrong."""
    stage.ts = stage.hands.say(f"@sre-bot {stage.truth()['question']}")


def told_and_decided_once(stage: Stage) -> dict[str, bool]:
    """Return what holds in every story in which a person asks and another approves."""
    thread, count = stage.thread(), stage.records.count
    charts = sum(len(m.get("files", ())) for m in thread)
    return {
        "one incident": count("incidents") == 1,
        "a chart a report": charts == sum(has(m, "verdict_right") for m in thread),
        "one approval that counts": count("decisions WHERE used AND choice = 'approve'") == 1
        and count("decisions") == 1,
        "one proposal that was executed": count("executions WHERE NOT is_undo") == 1,
        # a click that dies between the audit and its row is noted, and does not count
        "its end in the audit once": count("audit WHERE event = 'decided'") >= 1
        and count("audit WHERE event = 'executed'") == 1
        and count("audit WHERE event = 'verified'") == 1,
        "no target held": count("target_locks WHERE target NOT LIKE 'sre-bot/%'") == 0,
    }


def done_once(stage: Stage) -> int:
    """Return how many executions changed the world; -1 if one changed something twice."""
    actions = stage.hands.actions_done()
    done = Counter((a["key"], a["object"], a["what"].partition(" revision")[0]) for a in actions)
    return len({a["key"] for a in actions}) if set(done.values()) == {1} else -1


def said(thread: list[Json], words: str) -> int:
    """Return in how many messages these words are."""
    return sum(words in text_of(message) for message in thread)


RECOVERS, UNDOES = Recovers(), Undoes()
