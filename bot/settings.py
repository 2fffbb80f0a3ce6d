"""Reads the environment once; every field with its unit and default."""

import os
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import yaml
from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from bot.domain.codec import decode
from bot.domain.environment import Environment
from bot.domain.errors import Malformed, NotConfigured
from bot.domain.kpis import DigestPlan

_MENTIONED = re.compile(r"[UWS][A-Z0-9]{1,20}")  # a Slack user or user group


def _data_directory() -> Path:
    base = os.environ.get("XDG_DATA_HOME") or str(Path.home() / ".local" / "share")
    return Path(base) / "sre-bot"


class Settings(BaseSettings):
    """All settings. Environment variables are the field names with the prefix SRE_BOT_."""

    model_config = SettingsConfigDict(env_prefix="SRE_BOT_", extra="ignore", frozen=True)

    home: Path = Field(default_factory=_data_directory)  # database and journal, when on SQLite
    database_url: str = Field(
        default="", validation_alias="DATABASE_URL"
    )  # default: SQLite in home
    environments: Path | None = None  # YAML file, see docs/configuration.md

    slack_mode: Literal["socket", "http"] = "socket"
    slack_bot_token: SecretStr = SecretStr("")  # xoxb-…
    slack_app_token: SecretStr = SecretStr("")  # xapp-…, Socket Mode only
    slack_signing_secret: SecretStr = SecretStr("")  # HTTP mode only
    slack_base_url: str = "https://slack.com/api/"
    incident_channels: tuple[str, ...] = ()  # channel ids whose messages are read, JSON list

    http_host: str = "127.0.0.1"
    http_port: int = Field(default=8080, ge=0, le=65_535)  # health, webhooks, Slack over HTTP
    # Secrets of who sends webhooks, JSON lists: the old one and the new one while they change.
    pagerduty_webhook_secrets: tuple[SecretStr, ...] = ()
    alertmanager_secrets: tuple[SecretStr, ...] = ()
    webhook_secrets: tuple[SecretStr, ...] = ()  # signed JSON, docs/intake.md
    kubernetes_events: bool = False  # whether warning events of the clusters are signals
    objectives_every_seconds: float = Field(default=0.0, ge=0)  # wall; 0: budgets are not watched
    inbox_days: float = Field(default=30.0, gt=0)  # wall; what was dealt with is forgotten then

    executor_id: str = ""  # one per replica; empty: a name that no other process has
    clock_origin: datetime | None = None  # with clock_rate: the sandbox's clock
    clock_rate: float = Field(default=1.0, gt=0, le=10_000)  # world seconds per wall second

    investigation_seconds: float = Field(default=20.0, gt=0)  # wall budget of one investigation
    investigation_queries: int = Field(default=400, gt=0)
    incidents_running: int = Field(default=3, gt=0)  # investigations at once, per environment
    incidents_waiting: int = Field(default=12, ge=0)  # beyond those, the least bad are not made
    grey_watch: bool = True  # looks every 30 s for failures that no alert tells of
    cases: Path | None = None  # every investigation is kept there as a case, redacted
    approval_seconds: float = Field(default=1800.0, gt=0)  # wall; a proposal expires after it
    verification_every_seconds: float = Field(default=30.0, gt=0)  # world
    verification_most_seconds: float = Field(default=0.0, ge=0)  # world; 0: as the runbook says
    audit_head_file: Path | None = None  # the audit chain's head is appended there, outside SQL
    audit_head_webhook: SecretStr = SecretStr("")  # … and posted there as JSON
    heartbeat_url: SecretStr = SecretStr("")  # pinged while work can be taken: a dead-man's switch
    heartbeat_seconds: float = Field(default=60.0, gt=0)  # wall
    watch_seconds: float = Field(default=10.0, gt=0)  # wall; how often the bot looks at itself
    otlp_endpoint: str = ""  # OpenTelemetry collector over HTTP, e.g. http://collector:4318
    log_level: Literal["debug", "info", "warning", "error"] = "info"

    @property
    def database(self) -> str:
        """SQLAlchemy URL of the bot's own tables."""
        if not self.database_url:
            return f"sqlite:///{self.home / 'sre-bot.sqlite'}"
        return normal_url(self.database_url)

    @property
    def journal(self) -> str:
        """URL of the durable engine's tables: the same server, or a second SQLite file."""
        if self.database.startswith("sqlite"):
            return self.database.removesuffix(".sqlite") + "-journal.sqlite"
        return self.database

    @property
    def origin(self) -> datetime:
        """Where the clock starts to run at `clock_rate`; any moment does at rate 1."""
        return self.clock_origin or datetime(2000, 1, 1, tzinfo=UTC)


def normal_url(url: str) -> str:
    """Return the URL with the psycopg 3 driver named, as SQLAlchemy wants it."""
    for prefix in ("postgres://", "postgresql://"):
        if url.startswith(prefix):
            return "postgresql+psycopg://" + url.removeprefix(prefix)
    return url


def load() -> Settings:
    """Return the settings. Raises: NotConfigured: names every wrong variable at once, no values."""
    try:
        return Settings()
    except ValidationError as error:
        wrong = [f"{_variable(e['loc'])}: {e['msg']}" for e in error.errors(include_input=False)]
        raise NotConfigured("Settings are wrong. " + "; ".join(wrong)) from None


def _variable(location: tuple[int | str, ...]) -> str:
    name = str(location[0]) if location else "?"
    return name if name.isupper() else f"SRE_BOT_{name.upper()}"


def load_environments(path: Path | None) -> tuple[Environment, ...]:
    """Return the environments of a YAML file; none without a file.

    Raises: NotConfigured: names the file and the field that is wrong.
    """
    found = load_file(path).environments
    if len({e.name for e in found}) != len(found):
        raise NotConfigured(f"SRE_BOT_ENVIRONMENTS: {path}: two environments have the same name")
    if sum(e.default for e in found) > 1:
        raise NotConfigured(
            f"SRE_BOT_ENVIRONMENTS: {path}: more than one environment is the default"
        )
    for environment in found:
        strange = [s for s, who in environment.on_call.items() if not _MENTIONED.fullmatch(who)]
        if strange:
            raise NotConfigured(
                f"SRE_BOT_ENVIRONMENTS: {path}: {environment.name}: on_call of {strange[0]} must "
                "be the id of a Slack user (U…) or of a user group (S…)"
            )
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvironmentsFile:
    """What the file holds."""

    environments: tuple[Environment, ...]
    digests: tuple[DigestPlan, ...] = ()


def load_file(path: Path | None) -> EnvironmentsFile:
    """Return what the YAML file of environments holds; nothing without a file.

    Raises: NotConfigured: names the file and the field that is wrong.
    """
    if path is None:
        return EnvironmentsFile(environments=())
    try:
        raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        reason = str(error).splitlines()[0]
        raise NotConfigured(f"SRE_BOT_ENVIRONMENTS: {path} cannot be read: {reason}") from None
    try:
        return decode(EnvironmentsFile, raw, "environments file")
    except Malformed as error:
        raise NotConfigured(f"SRE_BOT_ENVIRONMENTS: {path}: {error}") from None
