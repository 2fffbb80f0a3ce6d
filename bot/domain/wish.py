"""An action that a person asks for in words, before anything was looked up."""

from dataclasses import dataclass
from enum import StrEnum


class Verb(StrEnum):
    """What can be asked for in words. Anything else is answered with what can."""

    RESTART = "restart"
    ROLL_BACK = "roll back"
    SCALE = "scale"
    PAUSE = "pause the rollout of"
    RESUME = "resume the rollout of"
    CORDON = "cordon"
    UNCORDON = "uncordon"
    DRAIN = "drain"
    DELETE_JOB = "delete the failed job"
    RERUN = "run the deployment again of"
    ACKNOWLEDGE = "acknowledge"
    RESOLVE = "resolve"
    ESCALATE = "escalate"
    NOTE = "note on"
    CALL = "call people to"


NODES = frozenset({Verb.CORDON, Verb.UNCORDON, Verb.DRAIN})
PAGES = frozenset({Verb.ACKNOWLEDGE, Verb.RESOLVE, Verb.ESCALATE, Verb.NOTE, Verb.CALL})


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What was asked for, in the asker's own words; no name in it is known to exist."""

    verb: Verb
    name: str  # of a service, pod, node, job or page; "" or "it": what the thread is about
    kind: str = ""  # "pod", "statefulset", …: as it was said, "" if nothing was
    place: str = ""  # what stood after "in", "" if nothing did
    goal: str = ""  # what it is to become: a number of pods, a version, a level, a note's text
    people: tuple[str, ...] = ()  # ids of those who are to be called
    reason: str = ""  # what stood after "because"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A wish in an environment that exists, about a name that is known there."""

    wish: Wish
    environment: str
    name: str
