"""Takes secrets out of every text that leaves the process, and the teeth out of text of data.

Each rule is guarded by literals: only a text that holds one of them pays for the rule's expression.
All expressions are linear (possessive or bounded repeats, anchored at a token's start), so that a
hostile megabyte costs milliseconds. Source of the formats: the plugins of Yelp/detect-secrets, and
the vendors' own descriptions of their tokens.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

MASK = "[redacted]"
MASKED_MAIL = "[e-mail]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One kind of secret. `needles` are lower-case; without one of them nothing can match."""

    name: str
    needles: tuple[str, ...]
    pattern: re.Pattern[str]
    replacement: str | Callable[[re.Match[str]], str] = MASK


_KEY_NAME = (
    r"(?:passw(?:or)?d|passphrase|passwort|pwd|secret(?!name|ref|keyref)|token(?!s\b|ize|_?count)"
    r"|api[_-]?key|apikey|access[_-]?key|account[_-]?key|private[_-]?key|auth[_-]?key"
    r"|encryption[_-]?key|signing[_-]?key|shared[_-]?key|credentials?|connection[_-]?string)"
)
_QUOTE = r"\\?[\"']"
_SAFE_VALUE = (
    r"(?!\[redacted\]|\[e-mail\]|(?:true|false|null|nil|none|undefined|unset|empty)\b"
    r"|\$\{|\$\(|\{\{|<|\*{3}|&lt;)"
)
_VALUE = r"(?:\\?\"[^\"\n]{1,2000}+\"?|'[^'\n]{1,2000}+'?|[^\s\"',;&)}\]\\]++)"


def _keep_scheme(match: re.Match[str]) -> str:
    return f"{match['scheme']}{MASK}@"


def _keep_key(match: re.Match[str]) -> str:
    return f"{match['key']}{MASK}"


def _rule(
    name: str,
    needles: str,
    pattern: str,
    replacement: str | Callable[[re.Match[str]], str] = MASK,
    flags: re.RegexFlag = re.NOFLAG,
) -> Rule:
    return Rule(
        name=name,
        needles=tuple(needles.split()),
        pattern=re.compile(pattern, flags),
        replacement=replacement,
    )


RULES: tuple[Rule, ...] = (
    _rule(
        "private key",
        "private",
        r"-----BEGIN[A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----"
        r"(?:(?!-----END)[\s\S])*+(?:-----END[A-Z0-9 ]{0,50}-----)?",
    ),
    _rule("age key", "age-secret-key-1", r"AGE-SECRET-KEY-1[0-9A-Z]{20,}", flags=re.IGNORECASE),
    _rule("JWT", "eyj", r"(?<![\w-])eyJ[\w-]{5,}+(?:\.[\w-]*+){1,4}"),
    _rule(
        "basic auth in a URL",
        "://",
        r"(?P<scheme>(?<![\w+.-])[A-Za-z][\w+.-]{0,30}://)[^\s/?#@\"'<>\[]*+@(?:[^\s/?#@\"'<>]*+@)*+",
        _keep_scheme,
    ),
    _rule("AWS key id", "akia asia agpa aida aroa aipa anpa anva a3t abia acca",
          r"(?<![A-Za-z0-9])(?:A3T[A-Z0-9]|AKIA|AGPA|AIDA|AROA|AIPA|ANPA|ANVA|ASIA|ABIA|ACCA)"
          r"[A-Z0-9]{16}(?![A-Za-z0-9])"),
    _rule("GitHub", "ghp_ gho_ ghu_ ghs_ ghr_ github_pat_",
          r"(?:gh[pousr]_[A-Za-z0-9]{20,}|github_pat_\w{20,})"),
    _rule("GitLab", "glpat- gldt- glft- glsoat- glrt- glcbt- glptt- glagent- gloas-",
          r"gl(?:pat|dt|ft|soat|rt|cbt|ptt|agent|oas)-[\w.-]{16,}"),
    _rule("Slack token", "xox xapp-", r"(?:xox[a-z](?:\.xox[a-z])?|xapp)-[\w.-]{8,}",
          flags=re.IGNORECASE),
    _rule("Slack webhook", "hooks.slack.com",
          r"hooks\.slack\.com/(?:services|workflows|triggers)/[\w/+-]+", flags=re.IGNORECASE),
    _rule("Stripe", "sk_live rk_live pk_live sk_test rk_test whsec_",
          r"(?:[rsp]k_(?:live|test)_[A-Za-z0-9]{8,}|whsec_[A-Za-z0-9+/=]{16,})"),
    _rule("Google", "aiza ya29. gocspx- 1//0",
          r"(?:AIza[\w-]{30,}|ya29\.[\w.-]{20,}|GOCSPX-[\w-]{20,}|1//0[\w-]{30,})"),
    _rule("OpenAI, Anthropic", "sk-", r"(?<![\w-])sk-[\w-]{20,}"),
    _rule("npm, PyPI, Docker, Hugging Face", "npm_ pypi- dckr_pat_ hf_",
          r"(?:npm_[A-Za-z0-9]{30,}|pypi-[\w-]{16,}|dckr_pat_[\w-]{20,}|(?<!\w)hf_[A-Za-z0-9]{30,})"),
    _rule("SendGrid", "sg.", r"(?<!\w)SG\.[\w-]{16,}+\.[\w-]{16,}+"),
    _rule("Square", "sq0", r"sq0[a-z]{3}-[\w-]{20,}"),
    _rule("Shopify, DigitalOcean, Vault, Databricks, Grafana, Doppler",
          "shpat_ shpss_ shpca_ shppa_ dop_v1_ doo_v1_ dor_v1_ hvs. hvb. hvr. dapi glsa_ glc_ dp.",
          r"(?<!\w)(?:shp(?:at|ss|ca|pa)_[a-fA-F0-9]{32}|do[opr]_v1_[a-f0-9]{40,}|hv[sbr]\.[\w-]{20,}"
          r"|dapi[a-f0-9]{32}|glsa_\w{20,}|glc_[\w+/=]{20,}|dp\.(?:pt|st|ct|sa)\.[\w.-]{20,})"),
    _rule("Mailchimp", "-us", r"(?<![0-9a-z])[0-9a-z]{32}-us[0-9]{1,2}(?!\w)"),
    _rule("Twilio", "ac sk", r"[AS](?<![A-Za-z0-9][AS])[CK][a-f0-9]{32}(?![A-Za-z0-9])"),
    _rule("Telegram", ":aa", r"(?<!\d)\d{8,10}:AA[\w-]{33}(?![\w-])"),
    _rule("Discord", ".", r"[MNO](?<![\w-][MNO])[\w-]{23,25}\.[\w-]{6}\.[\w-]{27,38}(?![\w-])"),
    _rule("Artifactory", "akc ap",
          r"(?<![A-Za-z0-9])(?:AKC[a-zA-Z0-9]{10,}|AP[0-9ABCDEF][a-zA-Z0-9]{60,})"),
    _rule("npm auth", "_auth", r"(?P<key>_auth(?:Token)?\s{0,3}+=\s{0,3}+)[^\s]++", _keep_key,
          re.IGNORECASE),
    _rule("authorization header", "authorization",
          r"(?P<key>authorization[\"']?\s{0,3}+[:=]\s{0,3}+[\"']?(?:(?:basic|bearer|token|digest"
          r"|negotiate|aws4-hmac-sha256|apikey)\s{1,3}+)?+)(?!\[redacted\])[^\s\"',]++", _keep_key,
          re.IGNORECASE),
    _rule("bearer", "bearer basic", r"(?P<key>(?<!\w)(?:bearer|basic)\s{1,3}+)(?!\[redacted\])"
          r"[A-Za-z0-9+/_.=~-]{16,}", _keep_key, re.IGNORECASE),
    _rule("cookie", "cookie:", r"(?P<key>(?:set-)?cookie:\s{0,3}+)(?!\[redacted\])[^\n\r]++",
          _keep_key, re.IGNORECASE),
    _rule("option of a command", "--pass --token --secret --api -u --user",
          r"(?P<key>(?<!\S)(?:--?(?:password|passwd|pass|token|secret|api-key|apikey)\s{1,3}+"
          r"|(?:-u|--user)[ =]{1,3}(?=[^\s:]{1,200}+:)))(?!\[redacted\]|-)[^\s]++", _keep_key,
          re.IGNORECASE),
    _rule("key = value",
          "passw pwd passphrase secret token api access account private auth encryption signing"
          " shared credential connection",
          rf"(?P<key>{_KEY_NAME}[\w-]{{0,40}}+(?:{_QUOTE})?\s{{0,3}}(?>:=|=>|[:=])\s{{0,3}})"
          rf"{_SAFE_VALUE}{_VALUE}", _keep_key, re.IGNORECASE),
    _rule("e-mail", "@",
          r"(?<![\w.%+-])[\w.%+-]++@(?=[A-Za-z0-9])[A-Za-z0-9-]{1,63}+(?:\.[A-Za-z0-9-]{1,63}+)*"
          r"\.[A-Za-z]{2,24}(?![\w-])", MASKED_MAIL),
)  # fmt: skip


def redact(text: str) -> str:
    """Return the text with credentials, tokens, secrets in URLs and e-mail addresses masked."""
    lowered = text.lower()
    for rule in RULES:
        if any(map(lowered.__contains__, rule.needles)):
            text = rule.pattern.sub(rule.replacement, text)
    return text


def redact_tree(value: Any, redact: Callable[[str], str] = redact, name: str = "") -> Any:
    """Return JSON data with every text in it redacted, also by the name it stands under."""
    if isinstance(value, Mapping):
        return {redact(str(k)): redact_tree(item, redact, str(k)) for k, item in value.items()}
    if isinstance(value, list | tuple):
        return [redact_tree(item, redact, name) for item in value]
    if not isinstance(value, str):
        return value
    if name and value and redact(f"{name}={value}") == f"{name}={MASK}":
        return MASK
    return redact(value).replace("\x00", "")


_BROADCAST = re.compile(r"@(?=(?:channel|here|everyone)\b)", re.IGNORECASE)
_LINK = re.compile(r"(?<![A-Za-z0-9+.-])([A-Za-z][A-Za-z0-9+.-]{0,20})://")
_MAILTO = re.compile(r"\b(mailto|tel):", re.IGNORECASE)
_ZERO_WIDTH = "\u200b"
_UNPRINTABLE = re.compile(  # controls, surrogates, overrides of the writing direction
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\u202a-\u202e\u2066-\u2069\ufffe\uffff]"
)


def printable(text: str) -> str:
    """Return the text without controls (but tab, newline), surrogates, bidi overrides."""
    return _UNPRINTABLE.sub("", text)


def defuse_mentions(text: str) -> str:
    """Return the text with @channel, @here and @everyone broken by an invisible character."""
    return _BROADCAST.sub("@" + _ZERO_WIDTH, text)


def escape(text: str) -> str:
    """Return the text with &, < and > as Slack wants them: no <!…>, <@…> or <url|…> survives."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def neutralise(text: str) -> str:
    """Return text that can neither mention anybody nor link anywhere, nor turn its direction."""
    return defuse_links(defuse_mentions(escape(printable(text))))


def defuse_links(text: str) -> str:
    """Return the text with bare addresses broken by an invisible character."""
    return _MAILTO.sub(rf"\1{_ZERO_WIDTH}:", _LINK.sub(rf"\1:{_ZERO_WIDTH}//", text))
