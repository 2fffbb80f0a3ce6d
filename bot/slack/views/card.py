"""The approval card: what the action does and touches, who may decide, and what became of it."""

from collections.abc import Sequence

from bot.domain.action import (
    ActionCall,
    BlastRadius,
    Choice,
    Decision,
    DryRun,
    Proposal,
    VerificationPlan,
)
from bot.domain.conversation import Card, CardState, Mark
from bot.domain.policy import Verdict
from bot.slack.views.blocks import Block, Message, actions, button, confirm, message, section
from bot.slack.views.text import (
    clock,
    code,
    cut,
    data,
    duration,
    fence,
    percent,
    person,
    quantity,
    sentence,
    told,
)
from bot.slack.views.words import signal_name

_MARKS = {
    CardState.SUGGESTED: Mark.NONE,
    CardState.WAITING: Mark.WAITING,
    CardState.APPROVED: Mark.DONE,
    CardState.REJECTED: Mark.REFUSED,
    CardState.EXPIRED: Mark.REFUSED,
    CardState.REFUSED: Mark.REFUSED,
    CardState.ACTING: Mark.ACTING,
    CardState.WATCHING: Mark.ACTING,
    CardState.RECOVERED: Mark.HEALTHY,
    CardState.NOT_VERIFIED: Mark.NOT_SURE,
    CardState.UNDONE: Mark.UNDONE,
    CardState.FAILED: Mark.REFUSED,
    CardState.WITHDRAWN: Mark.STOPPED,
}
_WAITING_MARKS = {
    Verdict.DENY: Mark.REFUSED,
    Verdict.SUGGEST: Mark.NONE,
    Verdict.ONE_CLICK: Mark.WAITING,
    Verdict.AUTONOMOUS: Mark.ACTING,
}
_ALL_MARKS = frozenset(mark.value for mark in Mark if mark)
_COUNT = {0: "no", 1: "one", 2: "two", 3: "three"}
_WARNINGS_SHOWN = 4
_DIFF_SHOWN = 1_500


def card(card: Card) -> Message:
    """Return the card in its present state; buttons only where a person may decide now."""
    proposal = card.proposal
    outcome = state_line(card)
    name = data(proposal.title, 150)
    name = name if outcome[:1] in _ALL_MARKS else f"{_mark(card)} {name}".strip()
    said = cut(outcome.replace("*", "").replace("`", ""), 600, "…") or card.state.value
    return message(
        f"{name} in {data(proposal.call.environment, 40)}: {said}",
        [
            section("\n".join(line for line in [_headline(card), *_what(card)] if line)),
            *_first(proposal.preparations),
            *_changes(proposal.dry_run),
            section("\n".join(line for line in _after(card) if line)),
            section("\n".join([*map(decision_line, card.decisions[:10]), outcome]).strip()),
            _buttons(card),
        ],
    )


def _headline(card: Card) -> str:
    place = data(card.proposal.call.environment, 40)
    line = f"*{data(card.proposal.title, 200)}* · {place} · {level_words(card)}"
    return f"{_mark(card)} {line}".strip()


def _mark(card: Card) -> Mark:
    """A card that waits for nobody does not carry the mark of waiting."""
    if card.state is CardState.WAITING and card.ruling.verdict is not Verdict.APPROVAL:
        return _WAITING_MARKS[card.ruling.verdict]
    return _MARKS[card.state]


def level_words(card: Card) -> str:
    """Return who runs or decides it: "L3, one approver, not the requester"."""
    ruling, level = card.ruling, f"L{card.level}"
    role = ruling.approver_role.value if ruling.approver_role else "person with the role for it"
    if card.state is CardState.SUGGESTED or ruling.verdict is Verdict.SUGGEST:
        return f"{level}, for a person to run"
    if ruling.verdict is Verdict.ONE_CLICK:
        return f"{level}, one click by {_article(role)} {role}"
    if ruling.verdict is Verdict.AUTONOMOUS:
        return f"{level}, I run it myself and watch it"
    if ruling.verdict is Verdict.DENY:
        return f"{level}, not allowed"
    needed = max(1, ruling.approvals_needed)
    who = f"{_COUNT.get(needed, str(needed))} {role}{'s' if needed > 1 else ''}"
    return f"{level}, {who}" + ("" if ruling.requester_may_approve else ", not the requester")


def _article(role: str) -> str:
    return "an" if role[:1] in "aeio" else "a"


def _what(card: Card) -> list[str]:
    proposal = card.proposal
    dry_run = proposal.dry_run
    why = sentence(_told(card, proposal.reason, 500))
    if proposal.asked_for:
        lines = [f"Asked for by {person(proposal.requester)}: {why}"]
    else:
        lines = [f"Why: {why} {percent(proposal.confidence)} sure."]
        if proposal.novel:
            lines.append("New to me: no incident like this one was ever confirmed here.")
    lines += _held_back(card)
    if _is_suggestion(card):
        lines.append("I may not run this here. To run it yourself:")
        lines.append(fence(dry_run.command) if dry_run else _arguments(proposal))
    else:
        lines.append(f"Does: {code(dry_run.command) if dry_run else _arguments(proposal)}")
    return [*lines, _touches(dry_run.blast_radius, proposal) if dry_run else ""]


def _first(steps: Sequence[Proposal]) -> list[Block | None]:
    """The steps before the action itself: each with its command, what it touches and changes."""
    blocks: list[Block | None] = []
    for number, step in enumerate(steps, start=1):
        dry_run = step.dry_run
        lines = [
            f"*First, step {number} of {len(steps) + 1}: {data(step.title, 200)}*",
            sentence(data(step.reason, 300)),
            f"Does: {code(dry_run.command) if dry_run else _arguments(step)}",
            _touches(dry_run.blast_radius, step) if dry_run else "",
            f"Undo: {f'yes, by {_call(step.inverse)}' if step.inverse else NO_UNDO}.",
        ]
        blocks += [section("\n".join(line for line in lines if line)), *_changes(dry_run)]
    if steps:
        blocks.append(section("*Then, when that is in place:*"))
    return blocks


FREEST = 4  # L4
NO_UNDO = "no, it cannot be taken back"


def _held_back(card: Card) -> list[str]:
    """At L4, say why it asks all the same: the level's own rule is no reason, the others are."""
    if card.level < FREEST or card.ruling.verdict is not Verdict.APPROVAL:
        return []
    if card.proposal.asked_for:
        return ["I ask although this is L4: what a person asks for, a person decides."]
    held = [r for r in card.ruling.reasons if not r.rule.startswith("level-")]
    words = "; ".join(f"{r.text} (rule {r.rule})" for r in held)
    return [f"I ask although this is L4: {data(words, 400)}"] if held else []


def _is_suggestion(card: Card) -> bool:
    return card.state is CardState.SUGGESTED or card.ruling.verdict is Verdict.SUGGEST


def _arguments(proposal: Proposal) -> str:
    return _call(proposal.call)


def _call(call: ActionCall) -> str:
    pairs = [f"{name}={value}" for name, value in call.arguments.items()]
    return code(f"{call.action} {' '.join(pairs)}", 200)


def _touches(blast: BlastRadius, proposal: Proposal) -> str:
    allows = proposal.target.pdb_allows if proposal.target else None
    total = blast.pods_total
    if not blast.pods and not total:
        return "Touches: no pods" + (f", {blast.nodes} nodes" if blast.nodes else "")
    single = proposal.target is not None and proposal.target.kind == "Pod"
    touched = blast.touched if blast.touched is not None else (blast.pods if single else total)
    total = max(total, touched)
    service = proposal.target.service or proposal.target.name if proposal.target else ""
    line = f"Touches: {touched} of {total} {'pod' if total == 1 else 'pods'}"
    line += f" of {data(service, 60)}" if service else ""
    line += f", {data(proposal.call.environment, 40)}, {100 * touched // max(1, total)} %"
    line += f", at one time {blast.pods} ({round(blast.workload_ratio * 100)} %)"
    if blast.nodes:
        line += f", {blast.nodes} {'node' if blast.nodes == 1 else 'nodes'}"
    return line + (f"; PDB allows {allows}" if allows is not None else "")


def _changes(dry_run: DryRun | None) -> list[Block | None]:
    if dry_run is None:
        return []
    if not dry_run.ok:
        return [section(f"The dry-run failed: {data(dry_run.detail, 400) or 'no reason given'}")]
    if not dry_run.diff.strip():
        return [section("Changes: nothing, by the dry-run")]
    lines = dry_run.diff.strip("\n").splitlines()
    if len(lines) == 1 and len(lines[0]) <= 200:
        return [section(f"Changes: {code(lines[0])}")]
    return [section(f"Changes, by the dry-run:\n{fence(dry_run.diff, _DIFF_SHOWN)}")]


def _after(card: Card) -> list[str]:
    proposal = card.proposal
    undo = f"yes, by {_call(proposal.inverse)}" if proposal.inverse else NO_UNDO
    record = f". Last time: {data(proposal.track_record, 200)}" if proposal.track_record else ""
    return [
        watches(proposal.verification, will_undo=_undoes(card)),
        f"Undo: {undo}{record}.",
        f"Costs: {sentence(data(proposal.trade_off, 300))}" if proposal.trade_off else "",
        f"Short-term. What lasts: {sentence(data(proposal.lasting_fix, 300))}"
        if proposal.short_term
        else "",
        *(f"Careful: {sentence(data(w, 200))}" for w in proposal.warnings[:_WARNINGS_SHOWN]),
    ]


def _undoes(card: Card) -> bool:
    return card.proposal.inverse is not None and not _is_suggestion(card)


def watches(plan: VerificationPlan, *, will_undo: bool) -> str:
    """Return "Watches: p99 of checkout < 0.5 s within 10 min. If worse: …"."""
    if plan.in_place:
        what = "it reads back as it was set"
    elif plan.signal is None:
        what = "all pods ready"
    else:
        sign = "&lt;" if plan.above_is_bad else "&gt;"
        what = f"{signal_name(plan.signal)} {sign} {quantity(plan.threshold, plan.signal.unit)}"
    tail = " If worse: I take it back by myself." if will_undo else ""
    return f"Watches: {what} within {duration(plan.window_s)}.{tail}"


def decision_line(decision: Decision) -> str:
    """Return "✅ approved by @ada at 14:11"."""
    if decision.choice is Choice.APPROVE:
        words = f"{Mark.DONE} approved by {person(decision.actor_id)}"
    else:
        words = f"{Mark.REFUSED} rejected by {person(decision.actor_id)}"
    reason = f": {data(decision.reason, 300)}" if decision.reason else ""
    return f"{words} at {clock(decision.at)}{reason}"


def state_line(card: Card) -> str:
    """Return where the proposal stands, in one line; the note of the card closes it."""
    note = _told(card, card.note, 600)
    said = _told(card, card.verification.statement, 300) if card.verification else ""
    until = f" Watching until {clock(card.watching_until)}." if card.watching_until else ""
    lines = {
        CardState.SUGGESTED: note,
        CardState.WAITING: _waiting(card) + (f" {note}" if note else ""),
        CardState.APPROVED: _join("Approved, about to act.", note),
        CardState.REJECTED: _join(
            "Not done. I won't propose it again unless the facts change.", note
        ),
        CardState.EXPIRED: _join("Expired: nobody decided in time. Nothing was done.", note),
        CardState.REFUSED: f"{Mark.REFUSED} Not run: {note or data(card.ruling.words, 600)}",
        CardState.ACTING: _join(f"{Mark.ACTING} acting", note),
        CardState.WATCHING: _join(f"{Mark.ACTING} done.{until}", said, note),
        CardState.RECOVERED: _join(
            f"{Mark.HEALTHY} {_recovered(card)}{_colon(said)}.{until}", note
        ),
        CardState.NOT_VERIFIED: _join(f"{Mark.NOT_SURE} not verified{_colon(said)}.", note),
        CardState.UNDONE: _join(f"{Mark.UNDONE} undone: I took it back.", said, note),
        CardState.FAILED: _join(f"{Mark.REFUSED} failed.", note),
        CardState.WITHDRAWN: _join(f"{Mark.STOPPED} withdrawn. Nothing was done.", note),
    }
    return cut(lines[card.state], 1_500)


def _told(card: Card, text: str, limit: int) -> str:
    """A sentence in which clock times are shown in the reader's zone, if the card has a moment."""
    moments = (
        card.verification.checked_at if card.verification else None,
        card.execution.started_at if card.execution else None,
        card.proposal.expires_at,
    )
    near = next((m for m in moments if m is not None), None)
    return told(text, near, limit) if near is not None else data(text, limit)


def _recovered(card: Card) -> str:
    return "in place" if card.proposal.verification.in_place else "recovered after this action"


def _colon(text: str) -> str:
    return f": {text.rstrip('.')}" if text else ""


def _join(*parts: str) -> str:
    return " ".join(part for part in parts if part)


def _waiting(card: Card) -> str:
    verdict = card.ruling.verdict
    if verdict is Verdict.DENY:
        return f"{Mark.REFUSED} Not run: {data(card.ruling.words, 600)}"
    if verdict is Verdict.SUGGEST:
        return ""
    if verdict is Verdict.AUTONOMOUS:
        return f"{Mark.ACTING} I am about to run this."
    expires = card.proposal.expires_at
    done = sum(1 for d in card.decisions if d.choice is Choice.APPROVE)
    needed = max(1, card.ruling.approvals_needed) - done
    many = f" {_COUNT.get(needed, str(needed))} more needed." if done and needed > 0 else ""
    return f"{Mark.WAITING} waiting" + (f", expires {clock(expires)}." if expires else ".") + many


def _buttons(card: Card) -> Block | None:
    proposal = card.proposal
    buttons: list[Block] = []
    if card.state is CardState.WAITING and card.ruling.verdict is Verdict.ONE_CLICK:
        buttons = [_run(card), button("Reject…", "reject", proposal.id)]
    elif card.state is CardState.WAITING and card.ruling.verdict is Verdict.APPROVAL:
        buttons = [_approve(card), button("Reject…", "reject", proposal.id)]
    if buttons and _alone(card):
        buttons.append(button("Break glass…", "break_glass", proposal.id, style="danger"))
    if card.can_undo and card.execution is not None:
        buttons.append(_undo(card, card.execution.key))
    return actions(*buttons)


def _alone(card: Card) -> bool:
    """Whether a person asked for it who may not approve it: for a lone on-call there is a way."""
    asked, ruling = card.proposal.asked_for, card.ruling
    return asked and not ruling.requester_may_approve and card.proposal.inverse is not None


def _run(card: Card) -> Block:
    asked = _confirm(card, "Run")
    return button("Run", "run", card.proposal.id, style="primary", confirm=asked)


def _approve(card: Card) -> Block:
    asked = _confirm(card, "Approve")
    return button("Approve", "approve", card.proposal.id, style="primary", confirm=asked)


def _confirm(card: Card, yes: str) -> Block:
    """A second tap: it is 3 am, and the button acts on a live system."""
    proposal = card.proposal
    steps = (*proposal.preparations, proposal)
    back = "It can be undone." if all(s.inverse for s in steps) else "It cannot be undone."
    if len(steps) > 1:
        back = f"{len(steps)} steps, one after the other. {back}"
    text = f"{data(proposal.title, 150)} in {data(proposal.call.environment, 40)}. {back}"
    return confirm(f"{yes}?", text, yes)


def _undo(card: Card, key: str) -> Block:
    text = f"I take this back: {data(card.proposal.title, 150)}"
    return button("Undo", "undo", key, confirm=confirm("Undo?", text, "Undo", danger=True))
