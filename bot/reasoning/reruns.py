"""From what a person typed to the run of a deployment workflow that is to be run again.

A run is named with its attempt, as in its link: so one order starts one attempt, whatever is lost.
"""

import re

from bot.domain.errors import Malformed
from bot.domain.wish import Verb, Wish

CAN = "`rerun deployment 123456 attempt 1 of checkout` (or the link of that attempt in GitHub)"
_RERUN = re.compile(
    r"(?:rerun|re-run)\s+(?P<failed>the\s+failed\s+jobs\s+of\s+)?(?:the\s+)?(?:(?:deployment|run)\s+)?"
    r"(?:https://[\w.\-]{1,100}/[\w.\-]{1,100}/[\w.\-]{1,100}/actions/runs/)?(?P<run>\d{3,15})"
    r"(?:(?:/attempts/|\s+attempt\s+)(?P<attempt>\d{1,3}))?"
    r"\s+(?:of|for)\s+(?:the\s+)?(?P<name>[A-Za-z0-9][\w.\-]{0,62})"
    r"(?:\s+(?:in|on)\s+(?P<place>[\w.\-]{1,60}))?(?:\s+because\s+(?P<reason>\S.{0,300}))?[.!]?",
    re.I,
)


def rerun_wish_of(line: str) -> Wish | None:
    """Return the run that is to be run again, None if the line asks for no such thing.

    Raises: Malformed: it does not say which attempt.
    """
    found = _RERUN.fullmatch(line)
    if found is None:
        return None
    if not found["attempt"]:
        raise Malformed(f"Which attempt of it? For example {CAN}.")
    return Wish(
        verb=Verb.RERUN,
        name=found["name"].rstrip(".-_"),
        kind="failed jobs" if found["failed"] else "run",
        place=(found["place"] or "").rstrip("."),
        goal=f"{int(found['run'])}/{int(found['attempt'])}",
        reason=(found["reason"] or "").strip(" ."),
    )
