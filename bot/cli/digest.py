"""`sre-bot digest --preview`: a team's week as its channel would be told of it."""

from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import click

from bot.app.digest import checked, not_taken
from bot.cli.support import with_database
from bot.domain.errors import Malformed
from bot.domain.kpis import DigestPlan, IncidentFact
from bot.domain.redaction import printable, redact
from bot.domain.time import ScaledClock
from bot.reports import digest_words as words
from bot.reports.digest import Digest
from bot.reports.reckoning import reckon
from bot.reports.trend import trend
from bot.reports.weeks import monday, zone_of
from bot.settings import Settings, load_file
from bot.storage.database import Database
from bot.storage.kpis import KpiFacts

FIELD = 90  # characters of one name, title or reason
ONLY_PREVIEW = "Say --preview: digests are posted by the running bot, at their times."


@click.command()
@click.option("--preview", is_flag=True, help="Print it; nothing is posted.")
@click.option("--channel", default="", help="As configured for this channel (default: the first).")
@click.option("--zone", default="", help="Another time zone, e.g. Europe/Paris.")
@click.option("--env", "environments", multiple=True, help="Only this environment; repeatable.")
@click.option("--service", "services", multiple=True, help="Only this service; repeatable.")
@click.option(
    "--until", type=click.DateTime(["%Y-%m-%d"]),
    help="The week that ends as this day begins (default: the last Monday).",
)  # fmt: skip
@click.option("--picture", type=click.Path(dir_okay=False, path_type=Path), help="Write the PNG.")
def digest(  # noqa: PLR0913 - one parameter an option
    *, preview: bool, channel: str, zone: str, environments: tuple[str, ...],
    services: tuple[str, ...], until: datetime | None, picture: Path | None,
) -> None:  # fmt: skip
    """Show the weekly digest. What each figure means: docs/kpis.md."""
    if not preview:
        raise click.UsageError(ONLY_PREVIEW)

    async def work(settings: Settings, database: Database) -> tuple[Digest, str]:
        plan = _plan(settings, channel)
        plan = replace(
            plan, zone=zone or plan.zone, environments=environments or plan.environments,
            services=services or plan.services,
        )  # fmt: skip
        made = await _reckoned(database, plan, until.date() if until else None)
        asked = plan.channel and settings.slack_bot_token.get_secret_value()
        return made, await not_taken(settings, plan.channel) if asked else ""

    made, why = with_database(work)
    click.echo(text(made))
    if why:
        click.echo(f"It would not be posted: {why}.", err=True)
    if picture is not None:
        picture.write_bytes(trend(made))


def _plan(settings: Settings, channel: str) -> DigestPlan:
    file = load_file(settings.environments)
    plans = {plan.channel: plan for plan in checked(file.digests, file.environments)}
    if channel and channel not in plans:
        known = ", ".join(plans) or "none"
        raise click.UsageError(f"No digest is configured for {channel!r}; there are: {known}")
    everything = DigestPlan(channel="", zone="UTC")
    return plans[channel] if channel else next(iter(plans.values()), everything)


async def _reckoned(database: Database, plan: DigestPlan, until: date | None) -> Digest:
    now = ScaledClock(origin=datetime.fromisoformat("2000-01-01T00:00:00+00:00")).now()
    try:
        zone = zone_of(plan.zone)
    except Malformed as error:
        raise click.UsageError(f"--zone: {error}") from error
    return await reckon(KpiFacts(database), until or monday(now, zone), zone, plan.scope, now)


def text(made: Digest) -> str:
    """Return the digest as lines for a terminal."""
    zone = ZoneInfo(made.zone)
    hand = words.Hand(
        safe=_safe, moment=lambda at: f"{at.astimezone(zone):%d %b %H:%M}", place=_nowhere
    )
    lines = [words.title(made, _safe), words.answer(made)]
    for part in words.parts(made, hand):
        lines += ["", part.title, *(f"  {line}" for line in part.lines)]
    return "\n".join([*lines, "", words.note(made, _safe)])


def _safe(value: str) -> str:
    flat = " ".join(printable(redact(value)).split())
    return flat if len(flat) <= FIELD else f"{flat[: FIELD - 1]}…"


def _nowhere(_incident: IncidentFact) -> str:
    return ""
