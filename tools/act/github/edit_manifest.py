"""Open a pull request that changes values of a manifest: for what GitOps or Helm owns.

A patch in place would be put back by its owner. The manifest is found by the environment's
`connections.github.manifests`; comments and layout of the file stay.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from bot.domain.action import ActionCall, ActionFacts, Applied, DryRun, Effect, Level, Target
from bot.domain.environment import Environment
from bot.domain.errors import Conflict, Malformed, Refused, UnknownName
from tools.clients.arguments import Arguments
from tools.clients.git_objects import Entry, GitObjects, Head
from tools.clients.github import GitHub
from tools.clients.manifest_places import Place, places_of
from tools.clients.manifests import edited, holds, objects, paths_of, steps
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
from tools.clients.redaction import is_secret_name
from tools.clients.targets import BOT_NAME, is_bot_itself
from tools.contract import Action

KIND = r"[A-Z][A-Za-z]{1,62}"
MOST_VALUES, MOST_FILES = 20, 60
Value = str | int


@dataclass(frozen=True, slots=True, kw_only=True)
class EditManifestArguments:
    """Which object of which service, and its values by path; `withdraw` closes the request."""

    service: str
    kind: str
    name: str
    values: Mapping[str, Value]
    withdraw: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    head: Head
    edit: Edit
    is_bot: bool


class EditManifest(Action[EditManifestArguments]):
    """Proposes other values for an object, where its manifest is."""

    facts: ClassVar[ActionFacts] = ActionFacts(
        name="edit_manifest",
        summary="open a pull request that changes values of a manifest; a person merges it",
        effect=Effect.CONFIG,
        system="github",
        reversible=True,  # the request is closed again, as long as nobody merged it
        highest_level=Level.L3,
        arguments={
            "service": "a service of connections.github.manifests",
            "kind": "kind of the object: Deployment",
            "name": "name of the object",
            "values": 'new values by path: {"spec.replicas": 4}',
            "withdraw": "false; true closes the pull request again",
        },
    )

    def __init__(self, environment: str, github: GitHub, places: Mapping[str, Place]) -> None:
        self._environment, self._github, self._places = environment, github, places

    @classmethod
    def for_environment(cls, environment: Environment) -> "EditManifest | None":
        """Return the action, None when the environment has no manifests on GitHub."""
        github, places = GitHub.of(environment), places_of(environment)
        return cls(environment.name, github, places) if github and places else None

    @classmethod
    def parse(cls, arguments: Any) -> EditManifestArguments:
        """Return checked arguments. Raises: Malformed; Refused: a value is a credential."""
        fields = ("service", "kind", "name", "values", "withdraw")
        read = Arguments(cls.facts.name, arguments, *fields)
        return EditManifestArguments(
            service=read.name("service"),
            kind=read.matching("kind", KIND, "a kind such as Deployment"),
            name=read.name("name"),
            values=_values(arguments["values"]),
            withdraw=read.boolean("withdraw"),
        )

    async def target(self, args: EditManifestArguments) -> Target:
        """Read the manifest. Raises: UnknownName, Refused, Unavailable, Malformed."""
        found = await self._found(args)
        repository = self._place(args).repository.name
        return Target(
            environment=self._environment,
            kind="Manifest",
            namespace=repository,
            name=found.edit.path,
            uid=f"{repository}/{found.edit.path}#{args.kind}/{args.name}",
            spec_hash=state_hash((found.edit,), found.head.branch),
            service=args.service,
            replicas=0,
            is_bot_itself=found.is_bot or args.service == BOT_NAME,
        )

    async def dry_run(self, args: EditManifestArguments) -> DryRun:
        """Return what the file would be on the branch, without making one."""
        found = await self._found(args)
        seen = DryRun(
            ok=True,
            command=f"git checkout -b {_branch(args)} && $EDITOR {found.edit.path} && "
            "gh pr create --fill",
            diff=files_diff((found.edit,)),
            blast_radius=no_pods(args.service),
            detail=f"nothing changes until a person merges it into {found.head.branch}",
        )
        if args.withdraw:
            return await self._withdrawal(args, seen)
        if found.edit.text == found.edit.old_text:
            return replace(seen, ok=False, diff="", detail="nothing would change")
        return seen

    async def inverse(self, args: EditManifestArguments, target: Target) -> ActionCall | None:
        """Return the closing of the pull request; None of a withdrawal."""
        if args.withdraw:
            return None
        arguments = {
            "service": args.service,
            "kind": args.kind,
            "name": args.name,
            "values": dict(args.values),
            "withdraw": True,
        }
        return ActionCall(
            action=self.facts.name, environment=target.environment, arguments=arguments
        )

    async def find(self, args: EditManifestArguments, key: str) -> Applied | None:
        """Return the pull request that was made under this key, or that it was closed."""
        pulls, branch = self._pulls(args), _branch(args)
        if args.withdraw:
            there = await pulls.of(branch)
            closed = there is not None and there.state == "closed"
            return Applied(changed=True, detail=there.words) if there and closed else None
        found = await pulls.under(branch, key)
        return Applied(changed=True, detail=found.words) if found else None

    async def begun(self, args: EditManifestArguments, key: str) -> bool:
        """Whether the branch was made under this key: the pull request follows."""
        return not args.withdraw and await self._pulls(args).began(_branch(args), key)

    async def apply(self, args: EditManifestArguments, target: Target, key: str) -> Applied:
        """Open the pull request, or close it.

        Raises: Conflict: the file changed since; Refused: names the missing permission; Malformed;
        Unavailable: not known how far it came, the same key goes on.
        """
        done = await self.find(args, key)
        if done is not None:
            return replace(done, changed=False)
        if args.withdraw:
            return await self._pulls(args).close(_branch(args))
        found = await self._found(args)
        if state_hash((found.edit,), found.head.branch) != target.spec_hash:
            raise Conflict(f"{found.edit.path} was changed since it was read")
        return await self._pulls(args).open(
            _branch(args), found.head, (found.edit,), _words(args), key
        )

    async def _found(self, args: EditManifestArguments) -> _Found:
        place = self._place(args)
        git = GitObjects(self._github, place.repository)
        head = await git.head()
        path, entry, text = await _manifest(git, head, place, args)
        if place.fields:
            after = edited(text, place.translated(args.values, text))
        else:
            after = edited(text, args.values, kind=args.kind, name=args.name)
        edit = Edit(path=path, before=entry, after=entry, text=after, old_text=text, new_text=after)
        return _Found(head=head, edit=edit, is_bot=any(map(is_bot_itself, objects(text))))

    async def _withdrawal(self, args: EditManifestArguments, seen: DryRun) -> DryRun:
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

    def _place(self, args: EditManifestArguments) -> Place:
        found = self._places.get(args.service)
        if found is None:
            raise UnknownName("service", args.service, place="connections.github.manifests")
        return found

    def _pulls(self, args: EditManifestArguments) -> PullRequests:
        return PullRequests(self._github, self._place(args).repository)


async def _manifest(
    git: GitObjects, head: Head, place: Place, args: EditManifestArguments
) -> tuple[str, Entry, str]:
    """Return path, entry and text of the one file that has the object. Raises: UnknownName, …."""
    root = place.repository.path
    there = await git.entry(head.tree, root) if root else None
    if there is not None and there.kind == "blob":
        return root, there, await _text(git, root, there)
    if root and there is None:
        raise UnknownName("path", root, place=place.repository.name)
    entries = await git.entries(there.sha if there else head.tree)
    found = []
    for name in sorted(paths_of(tuple(entries)))[:MOST_FILES]:
        path, entry = f"{root}/{name}" if root else name, entries[name]
        text = await _text(git, path, entry) if entry.kind == "blob" else ""
        if text and holds(text, args.kind, args.name):
            found.append((path, entry, text))
    if len(found) != 1:
        where = f"{place.repository.name}/{root}".rstrip("/")
        raise Malformed(f"{len(found)} manifests in {where} hold {args.kind}/{args.name}, not one")
    return found[0]


async def _text(git: GitObjects, path: str, entry: Entry) -> str:
    text = await git.text(entry)
    if text is None:
        raise Malformed(f"{path} is not text")
    return text


def _values(raw: Any) -> Mapping[str, Value]:
    wanted = f"edit_manifest: values must be an object of 1 to {MOST_VALUES} texts or numbers"
    if not isinstance(raw, Mapping) or not 0 < len(raw) <= MOST_VALUES:
        raise Malformed(wanted)
    for path, value in raw.items():
        if not isinstance(path, str) or len(path) > 300:
            raise Malformed(wanted)
        if type(value) not in (str, int) or len(str(value)) > 10_000:
            raise Malformed(wanted)
        if is_secret_name(steps(path)[-1]):
            raise Refused(f"{path} looks like a credential, and those are never written")
        if isinstance(value, str) and "[redacted" in value:
            raise Malformed(f"edit_manifest: {path} holds a masked value")
    return dict(raw)


def _branch(args: EditManifestArguments) -> str:
    parts = (args.service, args.kind, args.name, dict(args.values))
    return branch_name(f"edit-{args.name[:40]}", *parts)


def _words(args: EditManifestArguments) -> Words:
    said = {one_line(path): one_line(str(value)) for path, value in sorted(args.values.items())}
    lines = [f"- `{path}`: `{value}`" for path, value in said.items()]
    body = "\n".join(["Proposed by sre-bot for an incident:", "", *lines])
    return Words(title=f"Change {args.kind.lower()}/{args.name} of {args.service}", body=body)
