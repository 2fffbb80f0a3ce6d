"""Why a channel does not take its digest, and what a person can do about it, in words."""

import re

WAYS_OUT = {
    "not_in_channel": "I am not in that channel: invite me there with `/invite @sre-bot`",
    "channel_not_found": "I see no such channel: if it is private, invite me there with "
    "`/invite @sre-bot`; if not, correct it under `digests:`",
    "is_archived": "that channel is archived: name another one under `digests:`",
    "restricted_action": "only some people may post in that channel: let me, or name another one "
    "under `digests:`",
}
_CODE = re.compile(r"\b[a-z]+(?:_[a-z]+)+\b")


def way_out(refusal: str) -> str:
    """Return what is wrong and what to do about it, of the text of a refusal by Slack."""
    code = next((c for c in reversed(_CODE.findall(refusal)) if c in WAYS_OUT), "")
    said = next(reversed(_CODE.findall(refusal)), "no reason")
    return WAYS_OUT.get(code, f"Slack refuses it ({said[:60]})")
