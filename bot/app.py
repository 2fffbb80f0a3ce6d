"""Composition root: settings, adapters, policies and catalogue make a running bot."""

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from slack_sdk.web.async_client import AsyncWebClient

from bot.domain.diagnosis import Budget
from bot.domain.environment import Environment
from bot.domain.errors import NotConfigured, SreBotError
from bot.domain.time import Clock, ScaledClock
from bot.perception.collector import Collector
from bot.reasoning.analyzers import discover
from bot.remediation.gateway import Gateway
from bot.settings import Settings, load_environments
from bot.slack.app import create_app
from bot.slack.notifier import SlackNotifier
from bot.slack.people import SlackPeople
from bot.storage.actions import Actions
from bot.storage.audit import AuditLog
from bot.storage.database import Database
from bot.storage.environments import Environments
from bot.storage.incidents import Incidents
from bot.storage.migrate import upgrade, versions
from bot.storage.outbox import Messages
from bot.storage.people import Levels, People
from bot.storage.switches import Switches
from bot.workflows import investigation, remediation
from bot.workflows.engine import Engine
from bot.workflows.inquiry import Inquiry
from bot.workflows.investigation import Investigation
from bot.workflows.planning import Planning
from bot.workflows.remediation import Remediation
from bot.workflows.teammate import Parts, SreBot
from bot.workflows.telling import Telling
from bot.workflows.watch import Watch
from policies.engine import CedarEngine
from policies.runbooks_loader import load_runbooks
from tools.catalog import actions, read_tools


def inquiry_of(
    settings: Settings, environments: Sequence[Environment], clock: Clock
) -> Inquiry:
    """Return what investigates these environments."""
    return Inquiry(
        environments={e.name: e for e in environments},
        collectors={e.name: Collector(e, read_tools(e), clock) for e in environments},
        analyzers=discover(),
        clock=clock,
        budget=Budget(
            seconds=settings.investigation_seconds, queries=settings.investigation_queries
        ),
    )
