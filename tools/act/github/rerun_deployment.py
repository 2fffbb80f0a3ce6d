"""Run a finished deployment workflow of a service once more. What it deploys follows its own rules.

An attempt has a number: the next one there is tells that this one was run again.
Source: docs.github.com/en/rest/actions/workflow-runs.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from bot.domain.action import ActionCall, ActionFacts, Applied, DryRun, Effect, Level, Target
from bot.domain.environment import Environment
from bot.domain.errors import Conflict, Malformed
from tools.clients.arguments import Arguments
from tools.clients.github import SYSTEM, GitHub
from tools.clients.pull_requests import ACTIONS, no_pods, one_line, send
from tools.clients.targets import BOT_NAME
from tools.contract import Action

DEPLOYS = ("deploy", "release", "rollout", "promote", "ship")
"""Words one of which the workflow's name or file must hold: no other workflow is run again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RerunArguments:
    """Which run of which service's repository, and which attempt of it is to be run again."""

    service: str
    run: int
    attempt: int
    failed_only: bool


class RerunDeployment(Action[RerunArguments]):
    """Starts the next attempt of a workflow run."""

    facts: ClassVar[ActionFacts] = ActionFacts(
        name="rerun_deployment",
        summary="run a finished deployment workflow once more",
        effect=Effect.ROLLBACK,
        system="github",
        reversible=False,
        highest_level=Level.L3,
        arguments={
            "service": "a service of connections.github.repositories",
            "run": "number (id) of the workflow run",
            "attempt": "number of its last attempt, the one to run again",
            "failed_only": "true: only its failed jobs",
        },
    )

    def __init__(self, environment: str, github: GitHub) -> None:
        self._environment, self._github = environment, github

    @classmethod
    def for_environment(cls, environment: Environment) -> "RerunDeployment | None":
        """Return the action, None when the environment has no GitHub. Raises: NotConfigured."""
        github = GitHub.of(environment)
        return cls(environment.name, github) if github else None

    @classmethod
    def parse(cls, arguments: Any) -> RerunArguments:
        """Return checked arguments. Raises: Malformed."""
        read = Arguments(cls.facts.name, arguments, "service", "run", "attempt", "failed_only")
        return RerunArguments(
            service=read.name("service"),
            run=read.integer("run", least=1, most=2**53),
            attempt=read.integer("attempt", least=1, most=1000),
            failed_only=read.boolean("failed_only"),
        )

    async def target(self, args: RerunArguments) -> Target:
        """Read the run. Raises: UnknownName, Refused, Unavailable."""
        run = await self._run(args)
        repository = self._github.repository(args.service).name
        return Target(
            environment=self._environment,
            kind="WorkflowRun",
            namespace=repository,
            name=str(args.run),
            uid=f"{repository}#{args.run}",
            spec_hash=_hash(run),
            service=args.service,
            replicas=0,
            is_bot_itself=args.service == BOT_NAME,
        )

    async def dry_run(self, args: RerunArguments) -> DryRun:
        """Say what would run again. GitHub has no dry-run: only what can be read is checked."""
        run = await self._run(args)
        why = _why_not(args, run)
        name, sha = one_line(str(run.get("name") or "")), str(run.get("head_sha") or "")[:12]
        jobs = "the failed jobs" if args.failed_only else "all jobs"
        flag = " --failed" if args.failed_only else ""
        return DryRun(
            ok=not why,
            command=f"gh run rerun {args.run}{flag}",
            diff=""
            if why
            else f"workflow {name} of {sha}\n-attempt {args.attempt}: {run.get('conclusion')}\n"
            f"+attempt {args.attempt + 1}: {jobs}",
            blast_radius=no_pods(args.service),
            detail=why
            or "it deploys that commit again, by the workflow's and the rollout's own "
            "rules; it cannot be taken back",
        )

    async def inverse(
        self,
        args: RerunArguments,  # noqa: ARG002 - it cannot be taken back
        target: Target,  # noqa: ARG002 - it cannot be taken back
    ) -> ActionCall | None:
        """Return None: what was deployed before is not known here."""
        return None

    async def find(
        self,
        args: RerunArguments,
        key: str,  # noqa: ARG002 - a run keeps no keys
    ) -> Applied | None:
        """Return that there is a later attempt; which key began it, GitHub does not tell."""
        run = await self._run(args)
        if _attempt(run) <= args.attempt:
            return None
        return Applied(changed=True, detail=f"run {args.run}: attempt {_attempt(run)} is there")

    async def apply(
        self,
        args: RerunArguments,
        target: Target,
        key: str,  # noqa: ARG002 - a run keeps no keys
    ) -> Applied:
        """Start the next attempt.

        Raises: Conflict: the run is another by now; Refused: names the missing permission;
        Unavailable: not known whether it began.
        """
        run = await self._run(args)
        if _attempt(run) > args.attempt:
            return Applied(changed=False, detail=f"run {args.run} was run again already")
        why = _why_not(args, run)
        if why or _hash(run) != target.spec_hash:
            raise Conflict(why or f"run {args.run} was changed since it was read")
        name = self._github.repository(args.service).name
        what = "rerun-failed-jobs" if args.failed_only else "rerun"
        path = f"/repos/{name}/actions/runs/{args.run}/{what}"
        await send(self._github, "POST", path, None, f"{ACTIONS} on {name}")
        return Applied(changed=True, detail=f"run {args.run}: attempt {args.attempt + 1} begins")

    async def _run(self, args: RerunArguments) -> Mapping[str, Any]:
        name = self._github.repository(args.service).name
        run = await self._github.get(f"/repos/{name}/actions/runs/{args.run}")
        if run.get("id") != args.run:
            raise Malformed(f"{SYSTEM}: the answer is about another run")
        return run


def _attempt(run: Mapping[str, Any]) -> int:
    number = run.get("run_attempt")
    if not isinstance(number, int):
        raise Malformed(f"{SYSTEM}: a run has no number of its attempt")
    return number


def _why_not(args: RerunArguments, run: Mapping[str, Any]) -> str:
    """Return why this attempt cannot be run again, "" if it can."""
    names = f"{run.get('name')} {run.get('path')}".lower()
    if not any(word in names for word in DEPLOYS):
        return f"{one_line(str(run.get('name')))} is no deployment workflow by its name"
    if _attempt(run) != args.attempt:
        return f"run {args.run} is at attempt {_attempt(run)}, not {args.attempt}"
    if run.get("status") != "completed":
        return f"run {args.run} is not over yet ({one_line(str(run.get('status')))})"
    return ""


def _hash(run: Mapping[str, Any]) -> str:
    wanted = [run.get(field) for field in ("id", "run_attempt", "status", "head_sha", "path")]
    return hashlib.sha256(json.dumps(wanted).encode()).hexdigest()
