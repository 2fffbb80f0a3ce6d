"""What an incident's message says of its pages, its buttons for them, and their modals."""

from collections.abc import Sequence

from bot.domain.paging import TRIGGERED, Page
from bot.domain.pressing import MOST_PAGES, fingerprint, fitting
from bot.domain.wish import Verb
from bot.slack.views.blocks import (
    Block,
    View,
    button,
    confirm,
    context,
    modal,
    plain_object,
    section,
    text_input,
)
from bot.slack.views.modals import REASON_BLOCK
from bot.slack.views.text import cut, data, link, listed

ACKNOWLEDGE, RESOLVE = "page_acknowledge", "page_resolve"
ESCALATE, CALL = "page_escalate", "page_call"
LEVEL_BLOCK, PEOPLE_BLOCK = "level", "people"
LEVELS, MOST_PEOPLE, CONFIRM = 5, 10, 300
SHOWN_AS = "@"  # between the incident and the fingerprint of its pages, in a button's value
_DECIDES = "It cannot be taken back. Where your word alone is not enough, a card asks."
_VERBS = {RESOLVE: Verb.RESOLVE, ESCALATE: Verb.ESCALATE, CALL: Verb.CALL}
_NO_PAGES = "No page of this incident is open."


def page_lines(pages: Sequence[Page]) -> list[str]:
    """Return what the head says of an incident's pages: two lines at most, none without pages."""
    if not pages:
        return []
    said = [_states(pages), _priority(pages), _people("with", _holders(pages))]
    if not _holders(pages):
        said.append(_people("on call", _on_call(pages)))
    label = link(pages[0].link, f"PagerDuty #{pages[0].number}") or "PagerDuty"
    line = f"{label if len(pages) == 1 else 'PagerDuty'}: {' · '.join(s for s in said if s)}"
    noted = next((page for page in reversed(pages) if page.note), None)
    if noted is None:
        return [line]
    by = f"{data(noted.note_by, 60)} noted" if noted.note_by else "Noted"
    return [line, f"{by}: {data(' '.join(noted.note.split()), 150)}"]


def _states(pages: Sequence[Page]) -> str:
    if len(pages) == 1:
        low = ", low urgency" if pages[0].open and pages[0].urgency == "low" else ""
        return f"{data(pages[0].status, 30)}{low}"
    left = [page for page in pages if page.open]
    if not left:
        return f"all {len(pages)} resolved"
    waiting = sum(page.status == TRIGGERED for page in left)
    return f"{len(left)} of {len(pages)} open, {waiting} not acknowledged"


def _priority(pages: Sequence[Page]) -> str:
    named = sorted(page.priority for page in pages if page.priority)
    return data(named[0], 30) if named else ""


def _holders(pages: Sequence[Page]) -> list[str]:
    return list(dict.fromkeys(n for page in pages if page.open for n in page.assignees))


def _on_call(pages: Sequence[Page]) -> list[str]:
    return list(dict.fromkeys(n for page in pages if page.open for n in page.on_call))


def _people(word: str, names: Sequence[str]) -> str:
    shown = ", ".join(listed([data(n, 40) for n in names], str, 3))
    return f"{word} {shown}" if shown else ""


def page_buttons(incident_id: str, pages: Sequence[Page]) -> list[Block]:
    """Return the buttons that the open pages of an incident allow."""
    left = [page for page in pages if page.open]
    if not left:
        return []
    value = f"{incident_id}{SHOWN_AS}{fingerprint(left)}"  # a press is about what was shown
    made = [
        button("Resolve…", RESOLVE, value),
        button("Escalate…", ESCALATE, value),
        button("Add responder…", CALL, value),
    ]
    waiting = fitting(left, Verb.ACKNOWLEDGE)
    if waiting:
        made.insert(0, button("Acknowledge", ACKNOWLEDGE, value, confirm=_sure(waiting)))
    return made


def _sure(pages: Sequence[Page]) -> Block:
    """Return the dialog whose answer is the decision: which pages, and in whose name."""
    head, end = "In your name: ", f". {_DECIDES}"
    which = cut(_which(pages), CONFIRM - len(head) - len(end), "…")  # never what it means
    return confirm("Acknowledge?", f"{head}{which}{end}", "Acknowledge")


def _which(pages: Sequence[Page]) -> str:
    """Return every page that is meant by name: ten of them fit with what follows."""
    if len(pages) > 1:
        return ", ".join([*map(_number, pages[:MOST_PAGES]), *_left(pages)])
    who = _people("with", pages[0].assignees)
    aside = f" ({cut(who, 90, '…')})" if who else ""
    return f"{_number(pages[0])} {cut(data(pages[0].title), 80, '…')}{aside}"


def _left(pages: Sequence[Page]) -> list[str]:
    """Return in words how many pages are not meant."""
    more = len(pages) - MOST_PAGES
    return [f"{more} more stay as they are"] if more > 0 else []


def _number(page: Page) -> str:
    return f"#{page.number}" if page.number else cut(data(page.id, 40), 14, "…")


def resolve_modal(metadata: str, pages: Sequence[Page]) -> View:
    """Return the modal that lists which pages are closed."""
    return _modal("Resolve", "These are closed in PagerDuty:", pages, (), metadata, RESOLVE)


def escalate_modal(metadata: str, pages: Sequence[Page]) -> View:
    """Return the modal that takes the level."""
    options = [
        {"text": plain_object(f"Level {level}"), "value": str(level)}
        for level in range(2, 2 + LEVELS)
    ]
    level = {
        "type": "input", "block_id": LEVEL_BLOCK, "label": plain_object("To which level?"),
        "element": {"type": "static_select", "action_id": "select", "options": options,
                    "initial_option": options[0]},
    }  # fmt: skip
    words = "Whoever is on call at that level is called, for:"
    return _modal("Escalate", words, pages, (level,), metadata, ESCALATE)


def call_modal(metadata: str, pages: Sequence[Page]) -> View:
    """Return the modal that takes who is called, and why."""
    people = {
        "type": "input", "block_id": PEOPLE_BLOCK, "label": plain_object("Who?"),
        "element": {"type": "multi_users_select", "action_id": "people",
                    "max_selected_items": MOST_PEOPLE, "placeholder": plain_object("People")},
    }  # fmt: skip
    hint = "For example: the database is down, and you know it"
    why = text_input("Why?", block_id=REASON_BLOCK, hint=hint, optional=False, limit=400)
    return _modal("Add responders", "They are called now, for:", pages, (people, why), metadata,
                  CALL)  # fmt: skip


def _modal(
    title: str, words: str, pages: Sequence[Page], inputs: Sequence[Block], metadata: str,
    callback: str,
) -> View:  # fmt: skip
    meant = fitting(pages, _VERBS[callback])
    if not meant:
        return modal(title, [section(_NO_PAGES)])
    lines = [*map(_listed, meant[:MOST_PAGES]), *_left(meant)]
    return modal(
        title,
        [
            section("\n".join([words, *lines])),
            *inputs,
            context(_DECIDES),
        ],
        callback_id=callback,
        submit=title,
        private_metadata=metadata,
    )


def _listed(page: Page) -> str:
    name = link(page.link, f"#{page.number}")
    name = name if name and len(name) <= 120 else _number(page)
    return f"• {name} {data(page.title, 120)} ({data(page.status, 30)})"
