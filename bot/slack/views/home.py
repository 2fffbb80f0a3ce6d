"""App Home: what is going on, what waits for a person, how to ask."""

from collections.abc import Sequence

from bot.domain.conversation import InvestigationRow, Notice
from bot.slack.views.blocks import MAX_VIEW_BLOCKS, Block, View, header, section, sections
from bot.slack.views.notice import HELP
from bot.slack.views.text import clock, data, listed, mrkdwn


def home(rows: Sequence[InvestigationRow]) -> View:
    """Return App Home with the newest investigations, those that wait for a person first."""
    waiting = [row for row in rows if row.waiting]
    blocks: list[Block | None] = [section(HELP)]
    if waiting:
        blocks += [header("Waiting for a person"), *sections(listed(waiting, _row, _MOST))]
    blocks += [header("Newest investigations"), *sections(listed(rows, _row, _MOST) or [_NONE])]
    return _view(blocks)


def home_error(notice: Notice) -> View:
    """Return App Home when the list cannot be read."""
    return _view([section(mrkdwn(f"{notice.mark} {notice.text}".strip())), section(HELP)])


_NONE = "None yet."
_MOST = 30  # rows of each list


def _view(blocks: Sequence[Block | None]) -> View:
    return {"type": "home", "blocks": [b for b in blocks if b is not None][:MAX_VIEW_BLOCKS]}


def _row(row: InvestigationRow) -> str:
    line = (
        f"{clock(row.started_at)}  *{data(row.title, 150)}* · {data(row.environment, 40)}"
        f" · {data(row.state, 60)} · {mrkdwn(f'<#{row.channel}>', 40)}"
    )
    return line + (f"\n      ⏸ {data(', '.join(row.waiting), 300)}" if row.waiting else "")
