"""Puts the weekly digests together: which channels, from which facts, at which times."""

from collections.abc import Iterable
from typing import Protocol

from slack_sdk.web.async_client import AsyncWebClient

from bot.domain.environment import Environment
from bot.domain.errors import NotConfigured, Permanent, SreBotError
from bot.domain.kpis import DigestPlan
from bot.domain.redaction import redact
from bot.domain.time import Clock
from bot.reports.refusals import way_out
from bot.settings import Settings, load_file
from bot.slack.web import Web
from bot.storage.database import Database
from bot.storage.kpis import KpiFacts
from bot.storage.people import People
from bot.workflows.cron import Cron
from bot.workflows.digest_refused import DigestRefused, Say
from bot.workflows.digesting import Digesting, TellDigest
from bot.workflows.engine import Engine

SLACK_WITHIN_S = 5.0  # that it is asked


class Tells(TellDigest, Say, Protocol):
    """Where digests are told, and who mends what is in their way."""


def schedule_digests(
    settings: Settings, engine: Engine, database: Database, notify: Tells, wall: Clock
) -> None:
    """Have every configured channel told of its weeks. Before the engine's launch.

    Raises: NotConfigured: names the digest and the field that is wrong.
    """
    file = load_file(settings.environments)
    facts = KpiFacts(database)
    names = tuple(environment.name for environment in file.environments)
    holders = People(database).holders
    refused = DigestRefused(notify=notify, holders=holders, environments=names)
    for plan in checked(file.digests, file.environments):
        digesting = Digesting(plan=plan, facts=facts, notify=notify, wall=wall, refused=refused)
        engine.schedule(f"digest:{plan.channel}", plan.cron, plan.zone, digesting.body)


async def not_taken(settings: Settings, channel: str) -> str:
    """Return why a channel would not take its digest and what to do about it, "" if it would.

    It is asked for its newest message, which only members may read.
    """
    token = settings.slack_bot_token.get_secret_value()
    client = AsyncWebClient(token=token, base_url=settings.slack_base_url)
    web = Web(timeout_s=SLACK_WITHIN_S, longest_wait_s=0.0)
    try:
        await web.call(
            "conversations.history", lambda: client.conversations_history(channel=channel, limit=1)
        )
    except NotConfigured as error:
        return redact(str(error))
    except Permanent as error:
        return way_out(str(error))
    except SreBotError as error:
        return f"it is not known: {redact(str(error))}"
    return ""


def checked(
    plans: Iterable[DigestPlan], environments: Iterable[Environment]
) -> tuple[DigestPlan, ...]:
    """Return the plans.

    Raises: NotConfigured: a time, zone or environment is none, or a channel is there twice.
    """
    known = {environment.name for environment in environments}
    seen: set[str] = set()
    for plan in plans:
        name = f"digest of {plan.channel[:40] or 'no channel'}"
        if not plan.channel or plan.channel in seen:
            raise NotConfigured(f"{name}: each digest needs a channel of its own")
        seen.add(plan.channel)
        strange = sorted(set(plan.environments) - known)
        if strange:
            raise NotConfigured(f"{name}: there is no environment {strange[0]!r}")
        try:
            Cron(fields=plan.cron, zone=plan.zone)
        except NotConfigured as error:
            raise NotConfigured(f"{name}: {error}") from None
    return tuple(plans)
