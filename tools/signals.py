"""Which signals a need asks for, as "latency_p99" or "latency_p99:pod", and which are missing."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from bot.domain.snapshot import BlindSpot, Signal

Asked = tuple[Signal, str]  # the signal, and by what it is broken down ("" for not at all)


@dataclass(frozen=True, slots=True, kw_only=True)
class Signals:
    """What is asked for. `named`: by name, so that what is missing is worth telling."""

    asked: tuple[Asked, ...]
    unknown: tuple[str, ...] = ()
    named: bool = False


def signals_of(names: Sequence[str]) -> Signals:
    """Return the signals of a need's names; without names every one that there is."""
    if not names:
        return Signals(asked=tuple((signal, "") for signal in Signal))
    known = {signal.value: signal for signal in Signal}
    asked, unknown = [], []
    for name in dict.fromkeys(names):
        signal, _, breakdown = name.partition(":")
        if signal in known:
            asked.append((known[signal], breakdown))
        else:
            unknown.append(name)
    return Signals(asked=tuple(asked), unknown=tuple(unknown), named=True)


def missing(signals: Signals, there: Collection[Asked], reason: str) -> tuple[BlindSpot, ...]:
    """Name the signals that were asked for by name and are not among those that are there."""
    if not signals.named:
        return ()
    words = [f"{s.value}:{b}" if b else s.value for s, b in signals.asked if (s, b) not in there]
    return tuple(
        BlindSpot(system="metrics", reason=reason, wanted=name)
        for name in (*words, *signals.unknown)
    )
