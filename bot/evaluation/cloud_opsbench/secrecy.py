"""Credentials in recorded data become salted hashes on load: two different ones stay different."""

import base64
import binascii
import hashlib
import re
from collections.abc import Mapping
from typing import Any

CREDENTIAL = re.compile(
    r"pass(?:word|wd|phrase)?$|pwd|secret|token|credential|private.?key|api.?key|access.?key",
    re.IGNORECASE,
)
ASSIGNED = re.compile(
    r"((?:pass(?:word|wd|phrase)?|pwd|secret|token|api[_-]?key)[\"']?\s*[=:]\s*[\"']?)"
    r"([^\s\"',;&}<]{3,})",
    re.IGNORECASE,
)
IN_URL = re.compile(r"(://[^/\s:@]+:)([^@\s/]+)(@)")
WORDS = ("pass", "pwd", "secret", "token", "api", "://")  # a text without them hides nothing
PLAIN = frozenset({"yes", "no", "true", "false", "null", "none", "required", "is", "not"})
PLACE = re.compile(r"(?:^|_)(?:HOST|PORT|DATABASE|DB_NAME|DBNAME|ADDR|ADDRESS)$", re.IGNORECASE)


class Veil:
    """Replaces credentials by hashes that compare within one case only: the salt is its own."""

    def __init__(self, salt: bytes) -> None:
        self._salt = salt

    def hash(self, value: str) -> str:
        """Return a short salted hash, the same for the same value of the same case."""
        return "hash:" + hashlib.sha256(self._salt + value.encode()).hexdigest()[:12]

    def text(self, text: str) -> str:
        """Return a text with `password=…` and `user:password@` replaced."""
        low = text.lower()
        if not any(word in low for word in WORDS):
            return text
        text = ASSIGNED.sub(self._assigned, text)
        return IN_URL.sub(lambda m: m[1] + self.hash(m[2]) + m[3], text)

    def _assigned(self, match: re.Match[str]) -> str:
        plain = match[2].rstrip(")]}")
        if plain.lower() in PLAIN or not plain:
            return match[0]
        return match[1] + self.hash(plain) + match[2][len(plain) :]

    def body(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """Return a Kubernetes object without credentials: secret values, variables, annotations."""
        hidden: dict[str, Any] = {}
        for key, value in body.items():
            if body.get("kind") == "Secret" and key in ("data", "stringData"):
                hidden[key] = {k: self._secret(k, v, key) for k, v in (value or {}).items()}
            else:
                hidden[key] = self._value(key, value)
        return hidden

    def _value(self, key: str, value: Any) -> Any:
        if isinstance(value, Mapping):
            return self._mapping(value)
        if isinstance(value, list):
            return [self._value(key, item) for item in value]
        if isinstance(value, str):
            hide = CREDENTIAL.search(key) and not key.endswith(("Name", "Key", "Ref"))
            return self.hash(value) if hide else self.text(value)
        return value

    def _mapping(self, value: Mapping[str, Any]) -> dict[str, Any]:
        name = value.get("name")
        plain = value.get("value")
        found = {
            k: self._value(k, v)
            for k, v in value.items()
            if k != "kubectl.kubernetes.io/last-applied-configuration"
        }
        if isinstance(name, str) and isinstance(plain, str) and CREDENTIAL.search(name):
            found["value"] = self.hash(plain)
        return found

    def _secret(self, key: str, value: Any, field: str) -> str:
        text = str(value)
        if text.startswith("<") and text.endswith("bytes>"):
            return text
        plain = text if field == "stringData" else _decoded(text)
        return plain if PLACE.search(key) and len(plain) < 100 else self.hash(plain)


def _decoded(text: str) -> str:
    try:
        return base64.b64decode(text, validate=True).decode("utf-8", "replace")
    except (binascii.Error, ValueError):
        return text
