"""The weekly digest as a message: the answer, then a few lines each on what is worth a look."""

from datetime import UTC, datetime

from bot.domain.kpis import IncidentFact
from bot.reports import digest_words as words
from bot.reports.digest import Digest
from bot.slack.views.blocks import (
    MESSAGE_BUDGET,
    Message,
    context,
    message,
    section,
    sections,
)
from bot.slack.views.text import data, mrkdwn

FIELD = 90  # characters of one name, title or reason


def digest(digest: Digest) -> Message:
    """Return the digest as a message for its channel."""
    name, answer = words.title(digest, _safe), words.answer(digest)
    lines = [
        "\n".join((f"*{part.title}*", *part.lines))
        for part in words.parts(digest, words.Hand(safe=_safe, moment=_moment, place=_place))
    ]
    note = words.note(digest, _safe)
    return message(
        f"{name}: {answer}",
        [section(f"*{name}*\n{answer}"), *_apart(lines), context(note)],
    )


def _apart(lines: list[str]) -> list[dict[str, object]]:
    """One section for each part, as far as a message may weigh."""
    made: list[dict[str, object]] = []
    left = MESSAGE_BUDGET
    for line in lines:
        left -= len(line) + 150
        if left < 0:
            break
        made += sections([line])
    return made


def _safe(text: str) -> str:
    return data(text, FIELD)


def _moment(moment: datetime) -> str:
    utc = moment.astimezone(UTC).strftime("%d %b %H:%M UTC")
    return f"<!date^{int(moment.timestamp())}^{{date_short_pretty}} {{time}}|{utc}>"


def _place(incident: IncidentFact) -> str:
    return mrkdwn(f"<#{incident.channel}>", 40) if incident.channel else ""
