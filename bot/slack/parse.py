"""From Slack's payloads to the domain's `Mention` and `Click`; what does not fit is Malformed."""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from bot.domain.codec import decode, encode
from bot.domain.conversation import Click, Mention, Thread
from bot.domain.errors import Malformed

MAX_QUESTION = 4_000  # characters of a message that are read; the asker is told when there are more
MAX_REASON = 2_000
MOST_SHOWN = 200  # characters that the audit keeps of each part of a click that cannot be read
CLICKED = frozenset({"block_actions", "view_submission"})

_TEAM = re.compile(r"[TE][A-Z0-9]{1,30}")
USER = re.compile(r"[UWB][A-Z0-9]{1,30}")
_CHANNEL = re.compile(r"[CGD][A-Z0-9]{1,30}")
_TS = re.compile(r"\d{1,12}\.\d{1,9}")
_SUBJECT = re.compile(r"[A-Za-z0-9][\w.:/+=@-]{0,199}")
_CHANNEL_TOKEN = re.compile(r"<#([CG][A-Z0-9]{1,20})(?:\|[^<>]{0,100})?>")
_EVENT = re.compile(r"[\w.:-]{1,100}")
_ANY = re.compile(r"[\s\S]{1,300}")
_TOKEN = re.compile(r"<([^<>|]{0,3000})(?:\|([^<>|]{0,3000}))?>")

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where an answer that only one person sees can go."""

    channel: str
    user: str
    thread_ts: str = ""


def field(body: Any, path: str, pattern: re.Pattern[str]) -> str:
    """Return the string at a dotted path. Raises: Malformed naming the path."""
    value = body
    for name in path.split("."):
        value = value.get(name) if isinstance(value, Mapping) else None
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise Malformed(f"{path} is missing or not what Slack sends")
    return value


def maybe(body: Any, path: str, pattern: re.Pattern[str]) -> str:
    """Return the string at a dotted path, "" if it is not there or not as it should be."""
    try:
        return field(body, path, pattern)
    except Malformed:
        return ""


def mention_of(body: Json) -> tuple[Mention, int]:
    """Return the mention of an event, and how many characters its text really had."""
    event = body.get("event")
    ts = field(event, "ts", _TS)
    root = maybe(event, "thread_ts", _TS)
    text = text_of(event, str(_bot_user(body)))
    mention = Mention(
        event_id=field(body, "event_id", _EVENT),
        thread=Thread(
            team=field(body, "team_id", _TEAM),
            channel=field(event, "channel", _CHANNEL),
            ts=root or ts,
        ),
        user=maybe(event, "user", USER) or maybe(event, "bot_id", USER),
        text=text[:MAX_QUESTION],
        ts=ts,
        in_thread=bool(root) and root != ts,
        typed=_typed(event, str(_bot_user(body)))[:MAX_QUESTION],
    )
    return mention, len(text)


def _bot_user(body: Json) -> str:
    authorizations = body.get("authorizations")
    first = authorizations[0] if isinstance(authorizations, list) and authorizations else {}
    return maybe(first, "user_id", USER)


def text_of(event: Any, bot_user: str) -> str:
    """Return a message's text, an alert's attachments too, without markup and the bot's mention."""
    parts = [event.get("text"), *_attached(event)] if isinstance(event, Mapping) else []
    raw = "\n".join(part for part in parts if isinstance(part, str) and part.strip())
    return unmarked(raw[: MAX_QUESTION * 50], bot_user)


def _typed(event: Any, bot_user: str) -> str:
    """Return a message's own text, which must not be mistaken for what is attached to it."""
    own = event.get("text") if isinstance(event, Mapping) else None
    return unmarked(own[: MAX_QUESTION * 2], bot_user) if isinstance(own, str) else ""


def _attached(event: Json) -> Iterator[Any]:
    attachments = event.get("attachments")
    for attachment in attachments[:20] if isinstance(attachments, list) else ():
        if isinstance(attachment, Mapping):
            yield from (attachment.get(name) for name in ("pretext", "title", "text"))


def unmarked(text: str, bot_user: str = "") -> str:
    """Return plain text: links as their label, entities decoded, the bot's own mention dropped."""
    plain = _TOKEN.sub(lambda m: _word(m, bot_user), text)
    plain = plain.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    return plain.strip()


def _word(match: re.Match[str], bot_user: str) -> str:
    target, label = match[1], match[2]
    if bot_user and target == f"@{bot_user}":
        return ""
    if target.startswith(("@", "#", "!")):
        name = label or target.lstrip("@#!")
        return name if label and label[:1] in "@#" else f"{target[:1].replace('!', '@')}{name}"
    return label or target


def click_of(body: Json) -> Click:
    """Return the click on a button of a message. Raises: Malformed."""
    action = action_of(body)
    user = field(body, "user.id", USER)
    subject = field(action, "value", _SUBJECT)
    channel = field(body, "channel.id", _CHANNEL)
    message_ts = field(body, "container.message_ts", _TS)
    team = maybe(body, "team.id", _TEAM) or field(body, "user.team_id", _TEAM)
    parts = [team, channel, message_ts, field(action, "action_id", _EVENT), user, subject]
    return Click(
        click_id=stable_id("click", *parts),
        team=team,
        channel=channel,
        message_ts=message_ts,
        thread_ts=_thread_of(body) or message_ts,
        user=user,
        subject=subject,
    )


def action_of(body: Json) -> Json:
    """Return the one action of a block_actions payload. Raises: Malformed."""
    actions = body.get("actions")
    if not isinstance(actions, list) or not actions or not isinstance(actions[0], Mapping):
        raise Malformed("actions is missing or not what Slack sends")
    first: Json = actions[0]
    return first


def _thread_of(body: Json) -> str:
    return maybe(body, "container.thread_ts", _TS) or maybe(body, "message.thread_ts", _TS)


def trigger_of(body: Json) -> str:
    """Return the trigger id, which lives 3 s. Raises: Malformed."""
    return field(body, "trigger_id", re.compile(r"[\w.:-]{1,200}"))


def stable_id(kind: str, *parts: str) -> str:
    """Return an id that is the same for the same parts: retries and double clicks fall together."""
    digest = hashlib.sha256(json.dumps(parts).encode()).hexdigest()
    return f"{kind}-{digest[:24]}"


def metadata_of(click: Click) -> str:
    """Return what a modal carries to know, at its submission, which click opened it."""
    return json.dumps(encode(click), separators=(",", ":"))


def submission_of(body: Json, block_id: str) -> Click:
    """Return the click that opened the modal, with the text that was entered. Raises: Malformed."""
    view = body.get("view")
    raw = view.get("private_metadata") if isinstance(view, Mapping) else None
    if not isinstance(raw, str):
        raise Malformed("view.private_metadata is missing")
    try:
        click = decode(Click, json.loads(raw))
    except (json.JSONDecodeError, RecursionError) as error:
        raise Malformed("view.private_metadata is not what was sent") from error
    if field(body, "user.id", USER) != click.user:
        raise Malformed("the modal was opened by somebody else")
    return _with_reason(click, entered(body, block_id))


def _with_reason(click: Click, reason: str) -> Click:
    return Click(
        click_id=click.click_id,
        team=click.team,
        channel=click.channel,
        message_ts=click.message_ts,
        thread_ts=click.thread_ts,
        user=click.user,
        subject=click.subject,
        reason=reason,
    )


def entered(body: Json, block_id: str) -> str:
    """Return the text entered in a modal's input, "" when it was left empty."""
    value: Any = body
    for name in ("view", "state", "values", block_id, "text", "value"):
        value = value.get(name) if isinstance(value, Mapping) else None
    return value.strip()[:MAX_REASON] if isinstance(value, str) else ""


def days_of(body: Json, block_id: str) -> int:
    """Return the days chosen in a modal's select. Raises: Malformed."""
    value: Any = body
    for name in ("view", "state", "values", block_id, "select", "selected_option"):
        value = value.get(name) if isinstance(value, Mapping) else None
    return int(field(value, "value", re.compile(r"\d{1,3}")))


def view_id_of(body: Json) -> str:
    """Return the id of the submitted view, new for each opening. Raises: Malformed."""
    return field(body, "view.id", _EVENT)


def question_of(click: Click, view_id: str) -> Mention:
    """Return a question asked through the modal, as if it were written in the thread."""
    return Mention(
        event_id=stable_id("ask", click.click_id, view_id),
        thread=Thread(team=click.team, channel=click.channel, ts=click.thread_ts),
        user=click.user,
        text=click.reason,
        ts=click.message_ts,
        in_thread=True,
        typed=click.reason,
    )


def place_of(body: Json) -> Place | None:
    """Return where the person who did this can be answered; None when the payload does not tell."""
    event = body.get("event")
    channel = maybe(body, "channel.id", _CHANNEL) or maybe(event, "channel", _CHANNEL)
    channel = channel or maybe(body, "channel_id", _CHANNEL)
    user = maybe(body, "user.id", USER) or maybe(event, "user", USER)
    user = user or maybe(body, "user_id", USER)
    thread_ts = _thread_of(body) or maybe(event, "thread_ts", _TS) or maybe(body, "thread_ts", _TS)
    return Place(channel=channel, user=user, thread_ts=thread_ts) if channel and user else None


def clicker_of(body: Json) -> str:
    """Return who clicked or submitted, "" when the payload does not tell."""
    return maybe(body, "user.id", USER)


def stray_of(body: Json, problem: Malformed) -> str:
    """Return, for the audit, what of a click or submission could not be read: its own words cut."""
    actions = body.get("actions")
    first = actions[0] if isinstance(actions, list) and actions else None
    action = first if isinstance(first, Mapping) else {}
    view = body.get("view")
    callback = view.get("callback_id") if isinstance(view, Mapping) else None
    named = {"button": action.get("action_id"), "value": action.get("value"), "modal": callback}
    shown = (f"{name} {str(v)[:MOST_SHOWN]!r}" for name, v in named.items() if v is not None)
    return "; ".join([f"a click that cannot be read: {problem}", *shown])


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One `/sre …`."""

    event_id: str
    thread: Thread
    user: str
    text: str


def command_of(body: Json) -> Command:
    """Return the slash command. Raises: Malformed."""
    text = body.get("text") or ""
    if not isinstance(text, str):
        raise Malformed("text is not what Slack sends")
    team, user = field(body, "team_id", _TEAM), field(body, "user_id", USER)
    channel = field(body, "channel_id", _CHANNEL)
    return Command(
        event_id=stable_id("cmd", team, channel, user, trigger_of(body)),
        thread=Thread(team=team, channel=channel, ts=maybe(body, "thread_ts", _TS)),
        user=user,
        text=unmarked(_CHANNEL_TOKEN.sub(_channel_id, text))[:MAX_QUESTION],
    )


def _channel_id(match: re.Match[str]) -> str:
    """Keep the id of a channel in a command about routes; elsewhere people read its name."""
    is_route = match.string.lstrip().lower().startswith("route")
    return f"#{match[1]}" if is_route else match[0]


def check_shape(body: Any) -> None:
    """Raise Malformed for a payload that Bolt's own matching would stumble over."""
    if not isinstance(body, Mapping):
        raise Malformed("the payload is not an object")
    kind = body.get("type")
    if not isinstance(body.get("event", {}), Mapping):
        raise Malformed("event is not an object")
    if kind == "event_callback":
        field(body, "event.type", _EVENT)
        field(body, "event_id", _EVENT)
    elif kind == "block_actions":
        field(action_of(body), "action_id", _ANY)
    elif kind == "view_submission":
        field(body, "view.callback_id", _ANY)
