"""Groups log lines that say the same: shapes, header, masks, Drain, refinement, merging."""

from collections.abc import Sequence
from dataclasses import dataclass

from bot.domain.redaction import redact
from bot.logs.drain import Words, group
from bot.logs.header import learn, split
from bot.logs.masking import clean, mask
from bot.logs.merging import merged
from bot.logs.refining import refine
from bot.logs.shapes import Shapes, shapes
from bot.logs.words import known_values, shown, words_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Mined:
    """Which template each line belongs to, as an index into the templates.

    A shape is a line without its numbers and ids: there are far fewer of them than lines.
    """

    templates: tuple[str, ...]
    indices: list[int]
    shapes: Shapes


def mine(lines: Sequence[str]) -> Mined:
    """Return the templates of lines of one source, in order of first appearance.

    A template holds no secret: each distinct line is redacted before anything is taken from it.
    """
    found = shapes(lines)
    plain = [clean(line) for line in found.examples]
    header = learn(plain)
    masked = [mask(redact(line[split(line, header) :])) for line in plain]
    worded = [words_of(line) for line in masked]
    template_of = _clusters(worded, known_values(masked))
    names: dict[str, int] = {}
    of_shape = [names.setdefault(template_of[words], len(names)) for words in worded]
    return Mined(
        templates=tuple(shown(name) for name in names),
        indices=[of_shape[i] for i in found.indices],
        shapes=found,
    )


def _clusters(lines: Sequence[Words], values: frozenset[str]) -> dict[Words, str]:
    """Return for each distinct tokenised line the template it belongs to."""
    parts = [part for g in group(lines) for part in refine(g.members, values)]
    final: dict[Words, str] = {}
    for template, members in merged(parts):
        for words in members:
            final[words] = template
    return final
