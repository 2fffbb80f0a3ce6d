"""Short messages: notices, errors for users, help."""

from bot.domain.conversation import Mark, Notice
from bot.domain.errors import Refused, SreBotError, Transient
from bot.domain.redaction import neutralise
from bot.slack.views.blocks import Message, message, section
from bot.slack.views.text import cut, mrkdwn

NOT_TAKEN = "Not taken, try again. I could not write it down; the same click never counts twice."
NOT_HEARD = "Not taken yet: I could not write it down. Slack hands it to me again in a minute."
TOO_LATE = "That took too long, and Slack closed the door. Click again."
UNREADABLE = "I can't read this button. It may be of an older version of me. Ask me again."
BROKEN = "Something in me broke on this. It is in my log. Nothing was done."
NOT_INVITED = "I am not in this channel. Invite me with `/invite @sre-bot`, then ask again."
HELP = (
    "*I find out what is wrong in production, and propose what to do.*\n"
    "Ask me: `@sre-bot why is checkout slow`\n"
    "Ask me about another environment: `@sre-bot why is checkout slow in staging`\n"
    "Ask me to do something: `@sre-bot restart checkout in staging`, `scale cart to 4`, "
    "`roll back payments`, `ack PT4KHLK`. You get a card first; "
    "in production another person approves it.\n"
    "In a thread of mine, ask on without a mention, or tell me what you know.\n"
    "`/sre status` what I am doing · `/sre ask …` ask from anywhere\n"
    "`/sre levels` how far I may go, and the record it rests on\n"
    "`/sre stop` stop every action of mine · `/sre start` let me act again (administrators)\n"
    "`/sre freezes` when I run nothing by myself · `/sre freeze prod for 4h because …`, "
    "`/sre unfreeze …` (administrators)\n"
    "`/sre routes` where incidents are told · `/sre route checkout #payments` (approvers)"
)


def notice(notice: Notice) -> Message:
    """Return a short message: the mark, then the text."""
    text = mrkdwn(f"{notice.mark} {notice.text}".strip()) or "…"
    return message(_bare(text), [section(text)])


def help_text() -> Notice:
    """Return what the bot can do, for who has not asked anything."""
    return plain_notice(HELP)


def plain_notice(text: str) -> Notice:
    """Return words of the bot's own as a notice without a mark."""
    return Notice(mark=Mark.NONE, text=text)


def too_long(length: int, read: int) -> Notice:
    """Return the note that only the first part of a message was read."""
    return plain_notice(f"Your message has {length:,} characters. I read the first {read:,}.")


def error(problem: SreBotError) -> Notice:
    """Return an error as a person reads it: the thing, and the way out."""
    if isinstance(problem, Transient):
        return plain_notice(NOT_TAKEN)
    text = neutralise(str(problem))
    if isinstance(problem, Refused):
        return Notice(mark=Mark.REFUSED, text=f"Not run: {text}")
    return plain_notice(text or "That did not work, and I don't know why.")


def _bare(text: str) -> str:
    return cut(text.replace("*", "").replace("`", "").replace("\n", " · "), 2_000, "…")
