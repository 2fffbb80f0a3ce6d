"""From what a person typed to what they ask for on a page: an incident of the paging service.

The incident is named by its id or its link, as in `ack PT4KHLK`; nothing is taken from elsewhere.
"""

import re

from bot.domain.wish import Verb, Wish

CAN = (
    "`ack PT4KHLK`, `resolve PT4KHLK`, `escalate PT4KHLK to level 2`, "
    "`note on PT4KHLK: rolled back`, `call @ada to PT4KHLK because the database is down` "
    "(ids of incidents in PagerDuty)"
)
_PAGE = (
    r"(?:(?:the\s+)?(?:incident|page)\s+)?(?:https://[\w.\-]{1,100}/incidents/)?"
    r"(?P<page>[PQ][A-Z0-9]{5,31})"
)
_END = r"(?:\s+(?:in|on)\s+(?P<place>[\w.\-]{1,60}))?(?:\s+(?:please|now))*[.!]?"
_WHO = r"@[UW][A-Z0-9]{1,30}"
_FORMS: tuple[tuple[Verb, re.Pattern[str]], ...] = (
    (Verb.ACKNOWLEDGE, re.compile(rf"(?i:ack|acknowledge)\s+{_PAGE}{_END}")),
    (Verb.RESOLVE, re.compile(rf"(?i:resolve)\s+{_PAGE}{_END}")),
    (Verb.ESCALATE, re.compile(
        rf"(?i:escalate)\s+{_PAGE}\s+to\s+(?:level\s+)?(?P<goal>\d{{1,2}}){_END}")),
    (Verb.NOTE, re.compile(
        rf"(?i:(?:add\s+a\s+)?note\s+(?:on|to|for))\s+{_PAGE}\s*:\s*(?P<goal>\S.{{0,1900}})")),
    (Verb.CALL, re.compile(
        rf"(?i:call|add|page)\s+(?P<people>{_WHO}(?:(?:\s*,\s*|\s+and\s+|\s+){_WHO}){{0,9}})"
        rf"\s+(?i:to|for)\s+{_PAGE}(?:\s+(?i:because)\s+(?P<reason>\S.{{0,480}}))?")),
)  # fmt: skip


def page_wish_of(line: str) -> Wish | None:
    """Return what is asked for on a page, None if the line asks for nothing of the kind."""
    for verb, pattern in _FORMS:
        found = pattern.fullmatch(line)
        if found is not None:
            said = {"place": "", "goal": "", "people": "", "reason": "", **found.groupdict("")}
            return Wish(
                verb=verb,
                name=said["page"],
                kind="page",
                place=said["place"],
                goal=said["goal"].strip(),
                people=tuple(dict.fromkeys(re.findall(r"[UW][A-Z0-9]+", said["people"]))),
                reason=said["reason"].strip(),
            )
    return None
