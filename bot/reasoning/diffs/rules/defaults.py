"""Any other number of the configuration or a constant that moves by orders of magnitude."""

from collections.abc import Iterator

from bot.reasoning.diffs.change import Change
from bot.reasoning.diffs.reading import Effect, Reading
from bot.reasoning.diffs.rule import Rule, reading

_EFFECTS = (Effect.ERRORS, Effect.LATENCY, Effect.WRONG_RESULT)


def _orders(change: Change) -> Iterator[Reading]:
    for one in change.settings:
        old, new = (v.number if v else None for v in (one.old, one.new))
        if old is None or new is None or old == new or one.old is None or one.new is None:
            continue
        if "bool" in (one.old.unit, one.new.unit):
            name, weight = "switch_turned", 1.4
        elif not old or not new:
            name, weight = "value_to_or_from_zero", 1.6
        else:
            ratio = max(old / new, new / old)
            name, weight = "value_changed", 1.6 if ratio >= 10 or ratio < 0 else 0.7
        said = f"{one.key} goes from {one.old.text} to {one.new.text}"
        yield reading(name, "setting_changed", _EFFECTS, weight, said, change, one.line)


def _words(change: Change) -> Iterator[Reading]:
    if change.language not in (
        "yaml",
        "toml",
        "properties",
        "json",
        "nginx",
        "terraform",
        "dockerfile",
    ):
        return
    for one in change.settings:
        if one.old and one.new and one.old.number is None and one.old.text != one.new.text:
            said = f"{one.key} goes from {one.old.text} to {one.new.text}"
            yield reading("text_changed", "setting_changed", _EFFECTS, 0.7, said, change, one.line)
            return


RULES = (Rule(name="orders_of_magnitude", read=_orders), Rule(name="text_setting", read=_words))
