"""Open a pull request that reverts a commit of a service's branch. A person merges it.

The revert is merged here, file by file, so that the diff that is shown is what is proposed. Where
later changes touched the same lines it is refused, and says which file: a person has to do it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from bot.domain.action import ActionCall, ActionFacts, Applied, DryRun, Effect, Level, Target
from bot.domain.environment import Environment
from bot.domain.errors import Conflict, Malformed
from tools.clients.arguments import Arguments
from tools.clients.git_objects import Entry, GitObjects, Head
from tools.clients.github import GitHub, Repository
from tools.clients.merging import merged
from tools.clients.parts import parts, text
from tools.clients.pull_requests import (
    Edit,
    PullRequests,
    Words,
    branch_name,
    files_diff,
    no_pods,
    one_line,
    state_hash,
)
from tools.clients.targets import BOT_NAME
from tools.contract import Action

MOST_FILES = 50
SHA = r"[0-9a-f]{40}"


@dataclass(frozen=True, slots=True, kw_only=True)
class RevertCommitArguments:
    """Which commit of which service; `withdraw` closes the pull request again."""

    service: str
    commit: str
    withdraw: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Revert:
    head: Head
    edits: tuple[Edit, ...]
    collisions: tuple[str, ...]  # paths that were changed since in the same lines
    title: str


class RevertCommit(Action[RevertCommitArguments]):
    """Proposes to take a commit back, where a service's code is."""

    facts: ClassVar[ActionFacts] = ActionFacts(
        name="revert_commit",
        summary="open a pull request that reverts a commit; a person merges it",
        effect=Effect.ROLLBACK,
        system="github",
        reversible=True,  # the request is closed again, as long as nobody merged it
        highest_level=Level.L3,
        arguments={
            "service": "a service of connections.github.repositories",
            "commit": "full hash of the commit",
            "withdraw": "false; true closes the pull request again",
        },
    )

    def __init__(self, environment: str, github: GitHub) -> None:
        self._environment, self._github = environment, github

    @classmethod
    def for_environment(cls, environment: Environment) -> "RevertCommit | None":
        """Return the action, None when the environment has no GitHub. Raises: NotConfigured."""
        github = GitHub.of(environment)
        return cls(environment.name, github) if github else None

    @classmethod
    def parse(cls, arguments: Any) -> RevertCommitArguments:
        """Return checked arguments. Raises: Malformed."""
        read = Arguments(cls.facts.name, arguments, "service", "commit", "withdraw")
        return RevertCommitArguments(
            service=read.name("service"),
            commit=read.matching("commit", SHA, "the full hash of a commit"),
            withdraw=read.boolean("withdraw"),
        )

    async def target(self, args: RevertCommitArguments) -> Target:
        """Read the commit and what its files are now. Raises: UnknownName, Refused, Unavailable."""
        revert = await self._revert(args)
        repository = self._repository(args)
        return Target(
            environment=self._environment,
            kind="Commit",
            namespace=repository.name,
            name=args.commit[:12],
            uid=f"{repository.name}@{args.commit}",
            spec_hash=_hash(args, revert),
            service=args.service,
            replicas=0,
            is_bot_itself=args.service == BOT_NAME,
        )

    async def dry_run(self, args: RevertCommitArguments) -> DryRun:
        """Return what the files would be on the branch, without making one."""
        revert = await self._revert(args)
        seen = DryRun(
            ok=True,
            command=f"git revert {args.commit[:12]} && gh pr create --fill",
            diff=files_diff(revert.edits),
            blast_radius=no_pods(args.service),
            detail=f"nothing changes until a person merges it into {revert.head.branch}",
        )
        if args.withdraw:
            return await self._withdrawal(args, seen)
        why = await self._why_not(args, revert)
        return replace(seen, ok=False, diff="", detail=why) if why else seen

    async def inverse(self, args: RevertCommitArguments, target: Target) -> ActionCall | None:
        """Return the closing of the pull request; None of a withdrawal."""
        if args.withdraw:
            return None
        arguments = {"service": args.service, "commit": args.commit, "withdraw": True}
        return ActionCall(
            action=self.facts.name, environment=target.environment, arguments=arguments
        )

    async def find(self, args: RevertCommitArguments, key: str) -> Applied | None:
        """Return the pull request that was made under this key, or that it was closed."""
        pulls, branch = self._pulls(args), _branch(args)
        if args.withdraw:
            there = await pulls.of(branch)
            closed = there is not None and there.state == "closed"
            return Applied(changed=True, detail=there.words) if there and closed else None
        found = await pulls.under(branch, key)
        return Applied(changed=True, detail=found.words) if found else None

    async def begun(self, args: RevertCommitArguments, key: str) -> bool:
        """Whether the branch was made under this key: the pull request follows."""
        return not args.withdraw and await self._pulls(args).began(_branch(args), key)

    async def apply(self, args: RevertCommitArguments, target: Target, key: str) -> Applied:
        """Open the pull request, or close it.

        Raises: Conflict: the files changed since; Refused: names the missing permission; Malformed;
        Unavailable: not known how far it came, the same key goes on.
        """
        done = await self.find(args, key)
        if done is not None:
            return replace(done, changed=False)
        if args.withdraw:
            return await self._pulls(args).close(_branch(args))
        revert = await self._revert(args)
        if _hash(args, revert) != target.spec_hash:
            raise Conflict(f"the files of {args.commit[:12]} were changed since they were read")
        if revert.collisions:
            raise Conflict(_collision(revert))
        return await self._pulls(args).open(
            _branch(args), revert.head, revert.edits, _words(args, revert), key
        )

    async def _revert(self, args: RevertCommitArguments) -> _Revert:
        """Return what taking the commit back makes of the branch's files now."""
        repository = self._repository(args)
        objects = GitObjects(self._github, repository)
        commit = await self._github.commit(repository, args.commit)
        head = await objects.head()
        before = parts(commit, "parents")
        if not before:
            raise Malformed(f"{args.commit[:12]} is the first commit: there is nothing before it")
        trees = (
            await objects.tree_of(args.commit),
            await objects.tree_of(text(before[0], "sha")),
            head.tree,
        )
        edits: list[Edit] = []
        collisions: list[str] = []
        for path in _paths(commit):
            edit = await _edit(objects, trees, path)
            if edit is None:
                collisions.append(path)
            elif edit.before != edit.after or edit.text is not None:
                edits.append(edit)
        title = one_line(text(commit, "commit", "message").split("\n")[0])
        return _Revert(head=head, edits=tuple(edits), collisions=tuple(collisions), title=title)

    async def _why_not(self, args: RevertCommitArguments, revert: _Revert) -> str:
        """Return why no pull request can be opened, "" if one can."""
        between = f"{args.commit}...{revert.head.commit}"
        path = f"/repos/{self._repository(args).name}/compare/{between}"
        found = await self._github.get(path, {"per_page": "1"})
        if found.get("status") not in ("ahead", "identical"):
            return f"{args.commit[:12]} is not in the branch {revert.head.branch}"
        if revert.collisions:
            return _collision(revert)
        return "" if revert.edits else f"{args.commit[:12]} is taken back already"

    async def _withdrawal(self, args: RevertCommitArguments, seen: DryRun) -> DryRun:
        there = await self._pulls(args).of(_branch(args))
        words = there.words if there else "there is no such pull request"
        if there is None or there.state != "open":
            return replace(seen, ok=False, diff="", detail=words)
        return replace(
            seen,
            command=f"gh pr close {there.number} --delete-branch",
            diff=f"-pull request #{there.number} (open)\n+pull request #{there.number} (closed)",
            detail="",
        )

    def _repository(self, args: RevertCommitArguments) -> Repository:
        return self._github.repository(args.service)

    def _pulls(self, args: RevertCommitArguments) -> PullRequests:
        return PullRequests(self._github, self._repository(args))


async def _edit(objects: GitObjects, trees: tuple[str, str, str], path: str) -> Edit | None:
    """Return what becomes of one path, None if later changes of it collide with the revert."""
    commit, parent, now = [await objects.entry(tree, path) for tree in trees]
    if now in (parent, commit):
        old, new = await _shown(objects, now), await _shown(objects, parent)
        return Edit(path=path, before=now, after=parent, old_text=old, new_text=new)
    if commit is None or parent is None or now is None:
        return None
    if not commit.mode == parent.mode == now.mode:
        return None
    ours = await objects.text(now)
    new = await _merged(objects, commit, ours, parent)
    if ours is None or new is None:
        return None
    changed = new if new != ours else None
    return Edit(path=path, before=now, after=now, text=changed, old_text=ours, new_text=new)


async def _merged(
    objects: GitObjects, commit: Entry, ours: str | None, parent: Entry
) -> str | None:
    base, theirs = await objects.text(commit), await objects.text(parent)
    if base is None or ours is None or theirs is None:
        return None
    return merged(base, ours, theirs)


async def _shown(objects: GitObjects, entry: Entry | None) -> str | None:
    """Return a file's text for the diff, None where it is none or too large to be shown."""
    try:
        return await objects.text(entry)
    except Malformed:
        return None


def _paths(commit: Mapping[str, Any]) -> list[str]:
    files = commit.get("files")
    if not isinstance(files, list) or not all(isinstance(f, dict) for f in files):
        raise Malformed("GitHub: the files of the commit are not known")
    if len(files) > MOST_FILES:
        raise Malformed(f"the commit touches {len(files)} files or more: a person has to revert it")
    return sorted({text(f, n) for f in files for n in ("filename", "previous_filename")} - {""})


def _branch(args: RevertCommitArguments) -> str:
    return branch_name(f"revert-{args.commit[:8]}", args.service, args.commit)


def _hash(args: RevertCommitArguments, revert: _Revert) -> str:
    return state_hash(revert.edits, args.commit, revert.head.branch, *revert.collisions)


def _words(args: RevertCommitArguments, revert: _Revert) -> Words:
    body = f"Reverts {args.commit} ({args.service}). Proposed by sre-bot for an incident."
    return Words(title=f'Revert "{revert.title}"', body=body)


def _collision(revert: _Revert) -> str:
    paths = ", ".join(revert.collisions[:3])
    return f"it conflicts with later changes of {paths}: a person has to revert it"
