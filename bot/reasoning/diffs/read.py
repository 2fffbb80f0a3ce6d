"""The one door to the diff rules: a diff in, every rule's readings out, strongest first."""

from collections.abc import Iterator, Sequence

from bot.reasoning.diffs import rules
from bot.reasoning.diffs.change import change
from bot.reasoning.diffs.harmless import named_harmless, wholly_harmless
from bot.reasoning.diffs.parse import FileDiff, parse
from bot.reasoning.diffs.reading import Reading
from bot.reasoning.diffs.settled import settled


def read(diff: str | None, files: Sequence[str] = ()) -> tuple[Reading, ...]:
    """Return what `diff` does, strongest first; harmless readings have negative weight.

    `files` are the paths it touches, for a diff without file headers or none at all. A file that
    production does not run (docs, tests, pipelines, styles) is never read for trouble. Malformed,
    huge and binary input gives fewer readings, never an error. Linear in the length of `diff`.
    """
    parsed = settled(parse(diff, files))
    found = [reading for file in parsed for reading in _of(file)]
    found += wholly_harmless(parsed, files, risky=any(r.weight > 0 for r in found))
    return tuple(sorted(_strongest(found), key=lambda r: (-r.weight, r.rule, r.file, r.statement)))


def _of(file: FileDiff) -> Iterator[Reading]:
    if file.binary or named_harmless(file.path):
        return
    seen = change(file)
    words = seen.came.keys() | seen.went.keys()
    for rule in rules.discover():
        if (rule.sets and not seen.settings) or (rule.words and words.isdisjoint(rule.words)):
            continue
        yield from rule.read(seen)


def _strongest(readings: Sequence[Reading]) -> list[Reading]:
    """Keep one reading for each mechanism of each file."""
    best: dict[tuple[str, str], Reading] = {}
    for one in sorted(readings, key=lambda r: -r.weight):
        best.setdefault((one.mechanism, one.file), one)
    return list(best.values())
