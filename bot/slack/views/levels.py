"""The offer of a level to an administrator, and the modal that grants it."""

from bot.domain.action import Level
from bot.domain.trust import Promotion
from bot.slack.views.blocks import (
    Block,
    Message,
    View,
    actions,
    button,
    context,
    message,
    modal,
    plain_object,
    section,
    text_input,
)
from bot.slack.views.modals import REASON_BLOCK
from bot.slack.views.text import clock, data

EXPIRY_BLOCK = "expiry"
DAYS = (
    (0, "It does not expire"),
    (7, "After 7 days"),
    (30, "After 30 days"),
    (90, "After 90 days"),
)
WHAT = {
    Level.L1: "I only report",
    Level.L2: "whoever may approve here runs it with one click",
    Level.L3: "I stage it with a dry-run, and it waits for an approval",
    Level.L4: "I run it myself within all guardrails, announce it, and offer to take it back",
}


def promotion(offered: Promotion) -> Message:
    """Return the offer, with the record it rests on."""
    name, place = _name(offered), data(offered.environment, 40)
    head = f"*{name}* in {place} has earned L{int(offered.level)}"
    return message(
        f"{name} in {place} has earned L{int(offered.level)}",
        [
            section(f"{head}: {WHAT[offered.level]}."),
            section(f"Its record: {data(offered.evidence, 900)}."),
            context(
                f"Offered at {clock(offered.offered_at)}. Nothing changes unless you grant it."
            ),
            actions(
                button("Grant…", "grant_level", offered.id),
                button("Not now", "decline_level", offered.id),
            ),
        ],
    )


def grant_level(metadata: str, offered: Promotion) -> View:
    """Return the modal that takes the reason and the expiry of a grant."""
    hint = "For example: 35 of 35 verified, and the team agreed on Monday"
    return modal(
        "Grant a level",
        [
            section(
                f"*{_name(offered)}* in {data(offered.environment, 40)} to "
                f"L{int(offered.level)}: {WHAT[offered.level]}."
            ),
            section(f"Its record: {data(offered.evidence, 900)}."),
            text_input("Why?", block_id=REASON_BLOCK, hint=hint, optional=False),
            _expiry(),
            context("It goes into the audit. One false action takes the level back to L1."),
        ],
        callback_id="grant_level",
        submit="Grant",
        private_metadata=metadata,
    )


def break_glass(metadata: str) -> View:
    """Return the modal in which a lone on-call says why they decide alone."""
    hint = "For example: I am alone on call, two approvers do not answer, checkout is down"
    warning = (
        "You asked for this action yourself. Nobody else can approve it now? "
        "Then you may, because it can be taken back. It is audited, and shown on the card."
    )
    return modal(
        "Break glass",
        [section(warning), text_input("Why?", block_id=REASON_BLOCK, hint=hint, optional=False)],
        callback_id="break_glass",
        submit="Approve alone",
        private_metadata=metadata,
    )


def _expiry() -> Block:
    options = [{"text": plain_object(words), "value": str(days)} for days, words in DAYS]
    return {
        "type": "input",
        "block_id": EXPIRY_BLOCK,
        "label": plain_object("Until when?"),
        "element": {
            "type": "static_select",
            "action_id": "select",
            "options": options,
            "initial_option": options[0],
        },
    }


def _name(offered: Promotion) -> str:
    return data(offered.action.replace("_", " "), 60)
