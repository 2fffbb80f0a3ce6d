"""Short messages: notices, errors for users, help."""

from bot.domain.conversation import Mark, Notice
from bot.domain.errors import Refused, SreBotError, Transient
from bot.domain.redaction import neutralise
from bot.slack.views.blocks import Message, message, section
from bot.slack.views.text import mrkdwn, plain

NOT_TAKEN = "Not taken: I could not write it down just now. Nothing was done. Try again."
TOO_SLOW = "Not taken: that took too long. Nothing is lost. Try again."
UNREADABLE = "I can't read this button. It may be from an older version of me. Ask me again."
HELP = (
    "*I find out what is wrong in production, and propose what to do.*\n"
    "Ask me: `@sre-bot why is checkout slow`\n"
    "Ask me about another environment: `@sre-bot why is checkout slow in staging`\n"
    "In a thread of mine, ask on without a mention, or tell me what you know.\n"
    "`/sre status` what I am doing · `/sre ask …` ask from anywhere\n"
    "`/sre stop` stop every action of mine · `/sre start` let me act again (administrators)"
)


def notice(notice: Notice) -> Message:
    """Return a short message: the mark, then the text."""
    text = mrkdwn(f"{notice.mark} {notice.text}".strip()) or "…"
    return message(_bare(text), [section(text)])


def help_text() -> Notice:
    """Return what the bot can do, for who has not asked anything."""
    return Notice(mark=Mark.NONE, text=HELP)


def error(problem: SreBotError) -> Notice:
    """Return an error as a person reads it: the thing, and the way out."""
    if isinstance(problem, Transient):
        return Notice(mark=Mark.NONE, text=NOT_TAKEN)
    text = neutralise(str(problem))
    if isinstance(problem, Refused):
        return Notice(mark=Mark.REFUSED, text=f"Not run: {text}")
    return Notice(mark=Mark.NONE, text=text or "That did not work, and I don't know why.")


def _bare(text: str) -> str:
    return plain(text.replace("*", "").replace("`", "").replace("\n", " · "), 2_000)
