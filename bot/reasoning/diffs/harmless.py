"""Changes that production cannot notice: files it does not run, comments, moves and renames."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

from bot.reasoning.diffs.change import Change, change, squeezed
from bot.reasoning.diffs.parse import FileDiff
from bot.reasoning.diffs.reading import Reading
from bot.reasoning.diffs.rule import HARMLESS, INNOCENT
from bot.reasoning.diffs.words import touched

_KINDS = (
    ("documentation", re.compile(
        r"(?:^|/)(?:docs?|documentation|adr|rfcs?|examples?)/|\.(?:md|rst|adoc|mdx)$"
        r"|(?:^|/)(?:license|notice|authors|changelog|codeowners|readme)[\w.]*$", re.I)),
    ("tests", re.compile(
        r"(?:^|/)(?:tests?|__tests__|spec|specs|e2e|fixtures|testdata|mocks?|__mocks__|benchmarks?)/"
        r"|_test\.\w+$|\.(?:test|spec|stories)\.\w+$|(?:^|/)test_[\w]+\.py$|_spec\.rb$"
        r"|(?:^|/)conftest\.py$|(?:Tests?|IT|Spec)\.(?:java|kt|cs|scala)$")),
    ("the build pipeline", re.compile(
        r"(?:^|/)\.(?:github|circleci|buildkite|gitlab)/|(?:^|/)(?:\.gitlab-ci\.yml|jenkinsfile|"
        r"\.travis\.yml|\.pre-commit-config\.yaml|\.editorconfig|\.gitignore|\.dockerignore|"
        r"\.eslintrc[\w.]*|\.prettierrc[\w.]*|\.golangci\.ya?ml|\.rubocop\.yml|renovate\.json|"
        r"dependabot\.yml|\.gitattributes|sonar-project\.properties|tox\.ini|mypy\.ini)$", re.I)),
    ("styles and pictures", re.compile(
        r"\.(?:css|scss|sass|less|svg|png|jpe?g|gif|ico|webp|woff2?|ttf|eot)$", re.I)),
    ("dashboards", re.compile(r"(?:^|/)(?:grafana|dashboards?)/.*\.(?:json|ya?ml)$", re.I)),
    ("translations", re.compile(r"(?:^|/)(?:locales?|i18n|translations?|lang)/", re.I)),
    ("locked hashes", re.compile(r"(?:^|/)go\.sum$")),
)  # fmt: skip
_IDENTIFIER = re.compile(r"\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'|[A-Za-z_]\w*|\d[\w.]*|[^\s\w]")
_NAME = re.compile(r"[A-Za-z_]\w*$")
_WORDS = frozenset(
    [
        "true",
        "false",
        "null",
        "nil",
        "none",
        "and",
        "or",
        "not",
        "if",
        "else",
        "for",
        "while",
        "return",
        "await",
        "async",
        "in",
        "is",
    ]
)


def named_harmless(path: str) -> str:
    """Return what kind of file production does not run `path` names, or ""."""
    return next((kind for kind, pattern in _KINDS if path and pattern.search(path)), "")


def wholly_harmless(
    parsed: Sequence[FileDiff], files: Sequence[str], *, risky: bool
) -> Iterator[Reading]:
    """Yield the one reading that the whole change is harmless, if it is."""
    paths = [file.path for file in parsed if file.path] or list(files)
    kinds = {named_harmless(path) for path in paths}
    if paths and all(kinds):
        what = " and ".join(sorted(kinds))
        yield _reading("only_files_not_run", f"only {what} changed", INNOCENT, paths)
        return
    if risky:
        return
    live = [change(f) for f in parsed if not named_harmless(f.path) and not f.binary]
    live = [one for one in live if any(hunk.added or hunk.removed for hunk in one.hunks)]
    if live and (why := _same(live)):
        yield _reading(*why, paths)


def _same(live: Sequence[Change]) -> tuple[str, str, float] | None:
    if not any(one.added or one.removed for one in live):
        if any(one.moved for one in live):
            return "only_moved", "lines only moved or changed their layout", HARMLESS
        return "only_comments", "only comments and blank lines changed", INNOCENT
    if all(_layout(one) for one in live):
        return "only_layout", "only the layout of the code changed", INNOCENT
    if all(renamed(one) for one in live):
        return "only_renames", "only local names changed, everywhere alike", HARMLESS
    return None


def _layout(one: Change) -> bool:
    def joined(lines: Sequence[str]) -> str:
        return "".join(lines).replace(",", "").replace("'", '"')

    return joined([squeezed(x) for x in one.removed]) == joined([squeezed(x) for x in one.added])


def renamed(one: Change) -> bool:
    """Say whether what went equals what came but for names, each renamed everywhere alike."""
    before = [t for line in one.removed for t in _IDENTIFIER.findall(line.code)]
    after = [t for line in one.added for t in _IDENTIFIER.findall(line.code)]
    if len(before) != len(after) or not before or one.language in ("yaml", "json", "toml", "sql"):
        return False
    names: dict[str, str] = {}
    for at, (old, new) in enumerate(zip(before, after, strict=True)):
        if old == new:
            continue
        if not _local(old, new, before[at - 1] if at else "") or names.setdefault(old, new) != new:
            return False
    olds = set(before)
    fresh = not any(new in olds for new in names.values())
    return bool(names) and fresh and _all_declared(names, before)


def _local(old: str, new: str, previous: str) -> bool:
    named = _NAME.match(old) and _NAME.match(new) and not {old.lower(), new.lower()} & _WORDS
    return bool(named) and previous not in (".", "@", "$")


def _all_declared(names: Iterable[str], tokens: Sequence[str]) -> bool:
    """A local name is used twice, or is never called."""
    times = Counter(tokens)
    called = {name for name, then in pairwise(tokens) if then in ("(", ".")}
    return all(times[name] > 1 or name not in called for name in names)


def _reading(name: str, statement: str, weight: float, paths: Sequence[str]) -> Reading:
    return Reading(
        rule=name, mechanism="harmless", effects=frozenset(), weight=weight, statement=statement,
        file=paths[0] if len(paths) == 1 else "", words=touched(paths),
    )  # fmt: skip
