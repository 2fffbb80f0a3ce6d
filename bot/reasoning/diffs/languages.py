"""Which language a file is written in, and its lines without their comments."""

import re
from collections.abc import Iterable, Sequence

_EXTENSIONS = {
    "go": "go", "java": "java", "kt": "java", "kts": "java", "scala": "java", "groovy": "java",
    "py": "python", "pyi": "python", "js": "js", "jsx": "js", "mjs": "js", "cjs": "js", "ts": "js",
    "tsx": "js", "vue": "js", "svelte": "js", "cs": "csharp", "rb": "ruby", "rake": "ruby",
    "rs": "rust", "php": "php", "c": "c", "h": "c", "cc": "c", "cpp": "c", "hpp": "c", "swift": "c",
    "ex": "elixir", "exs": "elixir", "sql": "sql", "yaml": "yaml", "yml": "yaml", "tpl": "yaml",
    "toml": "toml", "properties": "properties", "ini": "properties", "cfg": "properties",
    "env": "properties", "json": "json", "json5": "json", "tf": "terraform", "hcl": "terraform",
    "tfvars": "terraform", "conf": "nginx", "nginx": "nginx", "proto": "proto", "xml": "xml",
    "gradle": "java", "sh": "shell", "bash": "shell", "md": "docs", "rst": "docs", "txt": "docs",
    "adoc": "docs", "css": "style", "scss": "style", "less": "style", "svg": "style",
    "html": "markup", "graphql": "graphql", "lua": "lua", "avsc": "json", "cnf": "properties",
}  # fmt: skip
_NAMES = {
    "dockerfile": "dockerfile", "containerfile": "dockerfile", "makefile": "shell",
    "go.mod": "gomod", "go.sum": "lock", "requirements.txt": "requirements", "gemfile": "ruby",
    "jenkinsfile": "java",
    ".env": "properties", "procfile": "yaml", "package-lock.json": "lock", "yarn.lock": "lock",
    "poetry.lock": "lock", "cargo.lock": "lock", "gemfile.lock": "lock", "pnpm-lock.yaml": "lock",
    "nginx.conf": "nginx", "rakefile": "ruby", "codeowners": "docs", "license": "docs",
}  # fmt: skip
_SYNTAX = (
    ("proto", re.compile(
        r"^\s*(?:message|service|enum) \w+ \{"
        r"|^\s*(?:optional |repeated )?(?:string|u?int(?:32|64)|bool|bytes"
        r"|google\.[\w.]+) \w+ = [1-9]\d*;"
    )),
    ("sql", re.compile(
        r"^\s*(?:SELECT .* FROM|ALTER TABLE|CREATE (?:UNIQUE )?(?:INDEX|TABLE)|DROP (?:INDEX"
        r"|TABLE)|UPDATE \w+ SET|INSERT INTO|DELETE FROM)\b",
        re.IGNORECASE,
    )),
    ("dockerfile", re.compile(r"^(?:FROM \S+|RUN |ENTRYPOINT |COPY \S+ \S+|CMD \[)")),
    ("terraform", re.compile(r'^\s*(?:resource|variable|module|data|provider) "')),
    ("go", re.compile(
        r"^\s*func [\w(]|:= |\bdefer |\bif err != nil|^package \w+$|\bchan \w|\bgo func\("
        r"|\w\.\w+\(ctx[,)]|\btime\.(?:Second|Millisecond|Minute)\b"
    )),
    ("csharp", re.compile(
        r"^\s*using [\w.]+;|\bpublic (?:async )?Task\b|\bTimeSpan\.|\bnamespace [\w.]+"
        r"|\bnew \(\);"
    )),
    ("java", re.compile(
        r"^\s*(?:public|private|protected|final|@\w+)\b.*[;{]?$|^\s*import [\w.]+;"
        r"|\bDuration\.of|\bTimeUnit\.|^\s*(?:[A-Z]\w+(?:<[\w<>, ?]+>)?) \w+ = "
    )),
    ("python", re.compile(
        r"^\s*(?:async )?(?:def|class) \w+.*:\s*$|^\s*(?:with|for|if|elif|except|try"
        r"|while)\b.*:\s*$|^\s*(?:from [\w.]+ )?import \w|\bself\."
    )),
    ("js", re.compile(
        r"^\s*(?:const|let|var|export|async function|function)\b|=> |\brequire\(|\bawait "
    )),
    ("ruby", re.compile(r"^\s*(?:def \w+[^:]*$|end$|class \w+ < |module \w+$)|\.each do|\bdo \|")),
    ("nginx", re.compile(
        r"^\s*(?:server|location|upstream|http)\b.*\{|^\s*(?:proxy_|keepalive|worker_|listen "
        r"|ssl_)[\w ]*.*;"
    )),
    ("json", re.compile(r'^\s*"[\w.\-]+"\s*:')),
    ("properties", re.compile(r"^[\w.\-]+\s*=\s*\S*\s*$")),
    ("yaml", re.compile(r"^\s*(?:- )?[\w.\-/\"']+:(?:\s|$)")),
)  # fmt: skip
_HASH = {"python", "ruby", "yaml", "toml", "properties", "shell", "dockerfile", "nginx",
         "requirements", "elixir", "terraform", "graphql"}  # fmt: skip
_SLASH = {"go", "java", "js", "csharp", "rust", "php", "c", "proto", "terraform", "gomod", ""}
_HASH_AT = re.compile(r"(?:^|\s)#(?![{\w]{0,1}\{).*$")
_SLASH_AT = re.compile(r"(?:^|(?<=[\s;{},)]))//.*$|/\*.*?\*/")
_DASH_AT = re.compile(r"(?:^|\s)--\s.*$")
# A statement that only writes to a log; "catalog." and "dialog(" are none.
LOG = re.compile(
    r"(?i)^(?:\w+\.)*(?:_?log(?:ger|ging)?|(?-i:\w*(?:[a-z0-9]L|_l)og(?:ger|ging)?)|slog|zap|logrus|console|print|println"
    r"|fmt\.print\w*|system\.out|puts|[kg]log)\b(?:\.\w+)*[.(]"
)
# A statement whose texts are for people: it logs, or it raises an error that says why.
SPEAKS = re.compile(
    LOG.pattern + r"|^(?:raise|throw)\b[^(\"'`]*\(|^return (?:\w+, )*(?:fmt\.errorf|errors\.\w+)\("
)
_TEXT = re.compile(r"\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'|`[^`]*`")
_FILLED = re.compile(r"%\+?[vw]|[$#]?\{[^{}]+\}")


def by_name(path: str) -> str:
    """Return the language a file name says, or ""."""
    name = path.rsplit("/", 1)[-1].lower()
    if name in _NAMES:
        return _NAMES[name]
    if name.startswith(("dockerfile", ".env")) or name.endswith(".dockerfile"):
        return "dockerfile" if "docker" in name else "properties"
    if name.startswith("requirements") and name.endswith(".txt"):
        return "requirements"
    return _EXTENSIONS.get(name.rsplit(".", 1)[-1], "") if "." in name else ""


def by_syntax(lines: Iterable[str]) -> str:
    """Return the language that most lines look like, or ""."""
    votes: dict[str, int] = {}
    for line in list(lines)[:80]:
        for language, pattern in _SYNTAX:
            if pattern.search(line):
                votes[language] = votes.get(language, 0) + 1
                break
    return max(votes, key=lambda one: votes[one]) if votes else ""


def bare(lines: Sequence[str], language: str) -> list[str]:
    """Return the lines stripped and without comments; a whole-line comment becomes ""."""
    if language in ("docs", "style", "lock"):
        return [line.strip() for line in lines]
    stripped = [line.strip() for line in lines]
    if language == "python":
        stripped = _no_docstrings(stripped)
    return [_uncommented(line, language) for line in stripped]


def unspoken(code: str) -> str:
    """Return what speaks to people without the words of its texts, but with what fills them.

    Texts handed to another call stay: `log.Fatal(serve(":80"))` does more than log.
    """
    kept, end, depth = [], 0, 0
    for text in _TEXT.finditer(code):
        between = code[end : text.start()]
        depth += between.count("(") - between.count(")")
        spoken = f'"{" ".join(_FILLED.findall(text[0]))}"' if depth <= 1 else text[0]
        kept += [between, spoken]
        end = text.end()
    return "".join([*kept, code[end:]])


def _uncommented(line: str, language: str) -> str:
    if language in _HASH and "#" in line:
        line = _HASH_AT.sub("", line)
    if language in _SLASH and ("//" in line or "*" in line):
        if line.startswith(("/*", "* ", "*/")) or line == "*":
            return ""
        line = _SLASH_AT.sub("", line)
    if language == "sql" and "--" in line:
        line = _DASH_AT.sub("", line)
    if language == "xml" and line.startswith("<!--"):
        return ""
    if language == "properties" and line.startswith((";", "!")):
        return ""
    return line.strip()


def _no_docstrings(lines: Sequence[str]) -> list[str]:
    kept, within = [], ""
    for line in lines:
        quote = line.lstrip("rRbBuU")[:3]
        if within:
            kept.append("")
            within = "" if within in line else within
        elif quote in ('"""', "'''"):
            kept.append("")
            within = "" if line.count(quote) > 1 else quote
        else:
            kept.append(line)
    return kept
