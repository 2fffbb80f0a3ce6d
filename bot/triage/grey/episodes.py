"""Episodes of quiet trouble: one for all that one root explains, told once, ended when calm."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from bot.triage.grey.blame import Calls, Suspect, below, related
from bot.triage.grey.wording import text_of, title_of

CALM_S = 900.0  # without a word against it, after which an episode is over
REMEMBERED_S = 3600.0  # an episode that comes back within it is the same one
USUAL_S = 86400.0  # what lasts so long is the new usual
AN_HOUR, A_DAY = 2, 6  # episodes of an environment that are told at most
MOST = 20  # episodes that are kept


@dataclass(frozen=True, slots=True, kw_only=True)
class Episode:
    """One quiet trouble. Moments are epoch seconds of the watched world."""

    id: str  # "prod:1790000000:checkout": environment, first look, first suspect
    service: str
    callers: tuple[str, ...]  # the one caller that sees it, if only one does
    began: float
    last: float  # when it was seen last
    title: str
    text: str
    severe: bool  # 5 % of the requests or more
    turn: int = 0  # how often it was told anew: it came back, or another service explains it
    told: int = -1  # the turn that was told, -1: none
    told_at: float = 0.0
    closed: float = 0.0  # 0: it is not over
    end_told: bool = False

    @property
    def open(self) -> bool:
        """Return whether it goes on."""
        return not self.closed


def after(
    episodes: Sequence[Episode], found: Sequence[Suspect], calls: Calls, now: tuple[str, float]
) -> tuple[Episode, ...]:
    """Return the episodes after a look; `now` is (environment, epoch seconds)."""
    environment, at = now
    out = list(episodes)
    for suspect in found:
        index = _same(out, suspect.service, calls)
        if index is None:
            out.append(_begun(environment, suspect, at))
        else:
            out[index] = _again(out[index], suspect, calls, at)
    ended = [replace(e, closed=at) if e.open and _over(e, at) else e for e in out]
    return tuple(e for e in ended if e.open or at - e.closed < REMEMBERED_S)[-MOST:]


def to_tell(episodes: Sequence[Episode], told_at: Sequence[float], at: float) -> list[Episode]:
    """Return the open episodes whose turn is not told yet, as many as may be told now."""
    waiting = [e for e in episodes if e.open and e.told < e.turn]
    hour = sum(at - t < 3600.0 for t in told_at)
    day = sum(at - t < 86400.0 for t in told_at)
    may = max(0, min(AN_HOUR - hour, A_DAY - day))
    known = [e for e in waiting if e.told >= 0]  # people know of them: no new trouble
    return [*known, *[e for e in waiting if e.told < 0][:may]]


def _same(episodes: Sequence[Episode], service: str, calls: Calls) -> int | None:
    fitting = [
        i for i, e in enumerate(episodes)
        if (related(e.service, service, calls) if e.open else e.service == service)
    ]  # fmt: skip
    return max(fitting, key=lambda i: (episodes[i].service == service, i), default=None)


def _begun(environment: str, suspect: Suspect, at: float) -> Episode:
    return Episode(
        id=f"{environment}:{at:.0f}:{suspect.service}"[:150],
        service=suspect.service,
        callers=_only(suspect),
        began=at,
        last=at,
        title=title_of(suspect),
        text=text_of(suspect),
        severe=_severe(suspect),
    )


def _again(episode: Episode, suspect: Suspect, calls: Calls, at: float) -> Episode:
    seen = replace(episode, last=at)
    deeper = suspect.service in below(episode.service, calls)
    if episode.open and not deeper:
        return seen
    return replace(
        seen,
        service=suspect.service,
        callers=_only(suspect),
        title=title_of(suspect),
        text=text_of(suspect),
        severe=episode.severe or _severe(suspect),
        turn=episode.turn + 1,
        closed=0.0,
        end_told=False,
    )


def _only(suspect: Suspect) -> tuple[str, ...]:
    return (suspect.only_for,) if suspect.only_for else ()


def _severe(suspect: Suspect) -> bool:
    return any(f.failing and f.here >= 0.05 for f in suspect.facts)


def _over(episode: Episode, at: float) -> bool:
    return at - episode.last >= CALM_S or at - episode.began >= USUAL_S
