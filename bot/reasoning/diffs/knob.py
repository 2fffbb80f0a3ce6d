"""Rules about settings: a value that goes down, up, on, off, away or becomes another word."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from bot.reasoning.diffs.change import Change
from bot.reasoning.diffs.reading import Effect, Reading
from bot.reasoning.diffs.rule import PLAUSIBLE, STRONG, Rule, compiled, reading
from bot.reasoning.diffs.settings import Setting
from bot.reasoning.diffs.words import parts


@dataclass(frozen=True, slots=True, kw_only=True)
class Knob:
    """A setting whose key matches `key` (words joined by "_", parents first) and goes one `way`.

    Ways: "down", "up" (numbers of one unit, by at least the factor `least`; from the factor
    `strong` on it weighs `weight`, below that the plausible weight), "zero", "off", "on" (also
    when the key is new, if `fresh`), "gone", "new", "text" (words changed), "other"
    (words or an on/off value changed). `below` and `above`
    bound the new number, in seconds, bytes or counts.
    """

    name: str
    mechanism: str
    effects: tuple[Effect, ...]
    key: str
    way: str
    says: str = "{key} goes from {old} to {new}"
    unless: str = ""
    value: str = ""  # pattern of the new text
    least: float = 1.01
    strong: float = 2.0
    below: float = float("inf")
    above: float = float("-inf")
    fresh: bool = False
    languages: str = ""
    path: str = ""
    weight: float = STRONG

    def rule(self) -> Rule:
        """Return the knob as a rule."""
        return Rule(name=self.name, read=self._read, sets=True)

    def _read(self, change: Change) -> Iterator[Reading]:
        if self.languages and change.language and change.language not in self.languages.split():
            return
        if self.path and not compiled(self.path).search(change.path):
            return
        for one in change.settings:
            if self._names(one.key) and (weight := self._weight(one)):
                said = self.says.format(
                    key=one.key.removesuffix(".value"),
                    old=one.old.text if one.old else "nothing",
                    new=one.new.text if one.new else "nothing",
                )
                yield reading(
                    self.name, self.mechanism, self.effects, weight, said, change, one.line
                )

    def _names(self, key: str) -> bool:
        return _names(self.key, self.unless, joined(key))

    def _weight(self, one: Setting) -> float:
        if self.value and not (one.new and compiled(self.value).search(one.new.text)):
            return 0.0
        told = {
            "gone": one.new is None and one.old is not None,
            "new": _fresh(one) and self._bounded(one),
            "text": _reworded(one),
            "other": _reworded(one) or _flipped(one),
        }
        if self.way in ("up", "down"):
            return self._moved(one)
        return self.weight if told.get(self.way, False) or self._switched(one) else 0.0

    def _moved(self, one: Setting) -> float:
        if one.old is None or one.new is None or one.old.unit == "bool":
            return 0.0
        if (factor := _factor(one, self.way)) < self.least or not self._bounded(one):
            return 0.0
        return self.weight if factor >= self.strong else min(self.weight, PLAUSIBLE)

    def _bounded(self, one: Setting) -> bool:
        if self.below == float("inf") and self.above == float("-inf"):
            return True
        number = one.new.number if one.new else None
        return number is not None and self.above <= number <= self.below

    def _switched(self, one: Setting) -> bool:
        if self.way not in ("zero", "on", "off") or one.new is None or one.new.number is None:
            return False
        if one.old is None and not self.fresh:
            return False
        if self.way == "zero":
            return one.new.number == 0 and one.new.unit != "bool"
        on = self.way == "on"
        return one.new.unit == "bool" and bool(one.new.number) == on


@lru_cache(maxsize=4096)
def joined(key: str) -> str:
    """Return a key's words joined by "_": "spring.maxPoolSize" → "spring_max_pool_size"."""
    return "_".join(parts(key))


@lru_cache(maxsize=65_536)
def _names(key: str, unless: str, words: str) -> bool:
    return bool(compiled(key).search(words)) and not (unless and compiled(unless).search(words))


def _factor(one: Setting, way: str) -> float:
    """Return by how much the value moved in the asked direction; 0 if it did not."""
    old = one.old.number if one.old else None
    new = one.new.number if one.new else None
    if old is None or new is None or old == new or old < 0 or new < 0:
        return 0.0
    big, small = (old, new) if way == "down" else (new, old)
    if big <= small:
        return 0.0
    return big / small if small else float("inf")


def _fresh(one: Setting) -> bool:
    """Say whether a literal stands where there was none."""
    if one.new is None or one.old is None:
        return one.new is not None
    return one.old.number is None and one.new.number is not None


def _flipped(one: Setting) -> bool:
    """Say whether an on/off value became another; "on" and "true" are the same."""
    if one.old is None or one.new is None or one.old.unit != "bool":
        return False
    return (one.old.number, one.old.unit) != (one.new.number, one.new.unit)


def _reworded(one: Setting) -> bool:
    if one.old is None or one.new is None or one.old.unit == "bool":
        return False
    return one.old.text != one.new.text
