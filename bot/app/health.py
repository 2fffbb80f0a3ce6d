"""What is configured, reachable and missing: for `sre-bot doctor`."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal
from zoneinfo import ZoneInfo

from slack_sdk.web.async_client import AsyncWebClient

from bot.app.access import Access, access_of, act_words, read_words
from bot.app.digest import SLACK_WITHIN_S, checked, not_taken
from bot.app.intake import secrets_of
from bot.app.watching import inquiry_of
from bot.domain.errors import SreBotError
from bot.domain.kpis import DigestPlan
from bot.domain.redaction import redact
from bot.domain.time import ScaledClock
from bot.settings import Settings, load_environments, load_file
from bot.slack.web import Web
from bot.storage.database import Database
from bot.storage.migrate import versions
from bot.storage.people import Levels, People
from bot.storage.switches import Switches
from bot.workflows.cron import Cron
from policies.catalog import load as load_runbooks
from policies.proof import require as require_proof
from tools.catalog import actions

State = Literal["ok", "missing", "risky", "wrong"]
EPOCH = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """One line of the examination."""

    what: str
    state: State
    words: str


async def examine(settings: Settings) -> Sequence[Checked]:
    """Check everything; a failure is a line, never an exception."""
    return [
        *_policies(),
        *await _database(settings),
        *await _slack(settings),
        _webhooks(settings),
        *await _environments(settings),
        *await _digests(settings),
    ]


def _policies() -> Sequence[Checked]:
    try:
        catalogue = actions()
        proof = require_proof()
        runbooks = load_runbooks(actions=frozenset(catalogue))
    except SreBotError as error:
        return [Checked(what="policies", state="wrong", words=str(error))]
    words = f"{len(catalogue)} actions, runbooks for {len(runbooks.by_cause)} kinds of cause"
    words += f", {len(proof.checked)} invariants proved"
    return [Checked(what="policies", state="ok", words=words)]


async def _database(settings: Settings) -> Sequence[Checked]:
    database = Database(settings.database)
    name = "SQLite" if settings.database.startswith("sqlite") else "PostgreSQL"
    try:
        current, wanted = database.run_now(lambda _: versions(database.engine))
        if current != wanted:
            words = f"{name} at revision {current or 'none'}, wanted {wanted}: `sre-bot db migrate`"
            return [Checked(what="database", state="wrong", words=words)]
        grants = await People(database).all()
        levels = await Levels(database, ScaledClock(origin=settings.origin)).all()
        stopped = await Switches(database).stopped()
    except SreBotError as error:
        return [Checked(what="database", state="wrong", words=redact(str(error)))]
    finally:
        database.close()
    return [
        Checked(what="database", state="ok", words=f"{name} at revision {current}"),
        _counted("roles", len(grants), "nobody may approve anything: `sre-bot roles grant`"),
        _counted("levels", len(levels), "every action is at L1: `sre-bot levels set`"),
        Checked(
            what="kill switch",
            state="missing" if stopped else "ok",
            words="on: nothing is executed, `sre-bot start`" if stopped else "off",
        ),
    ]


def _counted(what: str, count: int, none: str) -> Checked:
    if not count:
        return Checked(what=what, state="missing", words=none)
    return Checked(what=what, state="ok", words=f"{count} granted")


def _webhooks(settings: Settings) -> Checked:
    """Say which doors are open to whom; a closed one is a choice."""
    try:
        known = secrets_of(settings)
    except SreBotError as error:
        return Checked(what="webhooks", state="wrong", words=str(error))
    doors = {"PagerDuty": known.pagerduty, "Alertmanager": known.alertmanager,
             "signed JSON": known.signals}  # fmt: skip
    taken = [f"{name} (secrets: {len(secrets)})" for name, secrets in doors.items() if secrets]
    closed = [name for name, secrets in doors.items() if not secrets]
    words = "; ".join(
        part
        for part in (", ".join(taken), f"closed: {', '.join(closed)}" if closed else "")
        if part
    )
    return Checked(what="webhooks", state="ok" if taken else "missing", words=words)


async def _slack(settings: Settings) -> Sequence[Checked]:
    token = settings.slack_bot_token.get_secret_value()
    lines = []
    if not token:
        words = "SRE_BOT_SLACK_BOT_TOKEN is not set"
        lines.append(Checked(what="Slack bot token", state="wrong", words=words))
    else:
        lines.append(await _greet(settings, token))
    if settings.slack_mode == "socket" and not settings.slack_app_token.get_secret_value():
        words = "SRE_BOT_SLACK_APP_TOKEN is not set (or SRE_BOT_SLACK_MODE=http)"
        lines.append(Checked(what="Slack app token", state="wrong", words=words))
    if settings.slack_mode == "http" and not settings.slack_signing_secret.get_secret_value():
        words = "SRE_BOT_SLACK_SIGNING_SECRET is not set"
        lines.append(Checked(what="Slack signing secret", state="wrong", words=words))
    if not settings.incident_channels:
        words = "SRE_BOT_INCIDENT_CHANNELS is empty: only mentions are heard"
        lines.append(Checked(what="incident channels", state="missing", words=words))
    return lines


async def _greet(settings: Settings, token: str) -> Checked:
    client = AsyncWebClient(token=token, base_url=settings.slack_base_url)
    web = Web(timeout_s=SLACK_WITHIN_S, longest_wait_s=0.0)
    try:
        answer = await web.call("auth.test", client.auth_test)
    except SreBotError as error:
        return Checked(what="Slack", state="wrong", words=redact(str(error)))
    words = f"{answer.get('user', 'the bot')} in {answer.get('team', 'a workspace')}"
    return Checked(what="Slack", state="ok", words=f"{words}, by {settings.slack_mode}")


async def _environments(settings: Settings) -> Sequence[Checked]:
    try:
        environments = load_environments(settings.environments)
        inquiry = inquiry_of(
            settings, environments, ScaledClock(origin=settings.origin, rate=settings.clock_rate)
        )
    except SreBotError as error:
        return [Checked(what="environments", state="wrong", words=redact(str(error)))]
    if not environments:
        words = "none: SRE_BOT_ENVIRONMENTS names no file"
        return [Checked(what="environments", state="wrong", words=words)]
    lines = []
    for name, collector in inquiry.collectors.items():
        for tool, reach in (await collector.check()).items():
            state: State = "ok" if reach.ok else "wrong"
            lines.append(Checked(what=f"{name}: {tool}", state=state, words=redact(reach.words)))
    for environment in environments:
        watches = settings.kubernetes_events
        lines.extend(_access(await access_of(environment, watches=watches)))
    return lines


async def _digests(settings: Settings) -> Sequence[Checked]:
    """Say when each channel is told of its week next, and whether the bot may post there."""
    try:
        file = load_file(settings.environments)
        plans = checked(file.digests, file.environments)
    except SreBotError as error:
        return [Checked(what="digests", state="wrong", words=redact(str(error)))]
    return [await _digest(plan, settings) for plan in plans]


async def _digest(plan: DigestPlan, settings: Settings) -> Checked:
    what, why = f"digest of {plan.channel}", await not_taken(settings, plan.channel)
    if why:
        return Checked(what=what, state="wrong", words=f"it would not be posted: {why}")
    following = Cron(fields=plan.cron, zone=plan.zone).next(ScaledClock(origin=EPOCH).now())
    local = following.astimezone(ZoneInfo(plan.zone))
    return Checked(what=what, state="ok", words=f"next {local:%Y-%m-%d %H:%M} {plan.zone}")


def _access(access: Access | None) -> Sequence[Checked]:
    """Return what the identity may do in a cluster; an action without its role is a choice."""
    if access is None:
        return []
    name = access.environment
    if access.problem:
        return [Checked(what=f"{name}: access", state="wrong", words=access.problem)]
    unread: State = "missing" if access.unread else "ok"
    lacking: State = "missing" if access.may_not else "ok"
    lines = [
        Checked(what=f"{name}: may read", state=unread, words=read_words(access)),
        Checked(what=f"{name}: may act", state=lacking, words=act_words(access)),
    ]
    if access.too_much:
        words = f"more than it needs, take it away: {', '.join(access.too_much)}"
        lines.append(Checked(what=f"{name}: may", state="risky", words=words))
    return lines
