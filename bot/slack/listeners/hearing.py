"""What all spoken surfaces share: parse the event, hand it over, say what was not taken."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from bot.domain.errors import Permanent, Refused, Transient
from bot.slack.desk import Desk
from bot.slack.parse import MAX_QUESTION, mention_of
from bot.slack.views.notice import NOT_HEARD, error, plain_notice, too_long


async def hear(desk: Desk, body: Mapping[str, Any], *, addressed: bool = True) -> bool:
    """Hand the event's text to the teammate; False when there is no text.

    Raises: Transient: not taken. The event stays unacknowledged, so Slack delivers it again under
    the same event id.
    """
    mention, length = mention_of(body)
    if not mention.text:
        return False
    try:
        await desk.take(desk.teammate.mentioned(replace(mention, addressed=addressed)))
    except Transient:
        if addressed:
            desk.answer(body, plain_notice(NOT_HEARD))
        raise
    except (Permanent, Refused) as problem:
        desk.answer(body, error(problem))
    if length > MAX_QUESTION and addressed:
        desk.answer(body, too_long(length, MAX_QUESTION))
    return True
