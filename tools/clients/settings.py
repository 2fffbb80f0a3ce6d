"""Reads one system's connection settings of an environment, and says which one is wrong."""

import base64
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from bot.domain.environment import Environment
from bot.domain.errors import NotConfigured

LOOPBACK = ("127.0.0.1", "localhost", "::1")


def connection(environment: Environment, system: str) -> Mapping[str, Any] | None:
    """Return the settings of a system, None when it is not configured. Raises: NotConfigured."""
    settings: Any = environment.connections.get(system)
    if settings is None:
        return None
    if not isinstance(settings, Mapping):
        raise NotConfigured(
            f"environment {environment.name}: connections.{system} must be an object"
        )
    return settings


def url_of(environment: Environment, system: str) -> str | None:
    """Return a system's base URL without a trailing slash, None when it is not configured.

    Raises: NotConfigured: there are settings, but no http(s) URL among them.
    """
    settings = connection(environment, system)
    if settings is None:
        return None
    url = settings.get("url")
    if not isinstance(url, str) or urlsplit(url).scheme not in ("http", "https"):
        raise NotConfigured(
            f"environment {environment.name}: connections.{system}.url must be an http(s) URL"
        )
    return url.rstrip("/")


def token_of(environment: Environment, system: str) -> str | None:
    """Return the bearer token in the settings' `token_file`. Raises: NotConfigured: unreadable."""
    return secret_of(environment, system, "token_file")


def secret_of(environment: Environment, system: str, field: str) -> str | None:
    """Return what the file that a setting names holds, None without the setting.

    Raises: NotConfigured: it cannot be read, or holds nothing that can be sent as a header.
    """
    settings = connection(environment, system) or {}
    path = settings.get(field)
    if not path:
        return None
    where = f"environment {environment.name}: connections.{system}.{field}"
    try:
        secret = Path(str(path)).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise NotConfigured(f"{where} cannot be read ({type(error).__name__})") from error
    if not secret or not secret.isascii() or not secret.isprintable():
        raise NotConfigured(f"{where} does not hold one line of plain characters")
    return secret


def headers_of(environment: Environment, system: str) -> tuple[dict[str, str], tuple[str, ...]]:
    """Return the headers that a system's settings ask for, and the secrets in them.

    Settings: api_key_file (`ApiKey`), or username and password_file (`Basic`); tenant
    (`X-Scope-OrgID`). A bearer token is `token_of`'s. Raises: NotConfigured: names the setting.
    """
    settings = connection(environment, system) or {}
    headers: dict[str, str] = {}
    secrets: list[str] = []
    if settings.get("tenant"):
        headers["X-Scope-OrgID"] = str(settings["tenant"])
    key = secret_of(environment, system, "api_key_file")
    if key:
        headers["Authorization"] = f"ApiKey {key}"
        secrets.append(key)
    password = secret_of(environment, system, "password_file")
    if password:
        pair = f"{settings.get('username') or ''}:{password}".encode()
        basic = base64.b64encode(pair).decode()
        headers["Authorization"] = f"Basic {basic}"
        secrets += [password, basic]
    given = [f for f in ("token_file", "api_key_file", "password_file") if settings.get(f)]
    if len(given) > 1:
        raise NotConfigured(
            f"environment {environment.name}: connections.{system} has both {given[0]} "
            f"and {given[1]}: give one"
        )
    return headers, tuple(secrets)


def public_url(url: str) -> str:
    """Return the URL without user, password, query and fragment, for links and messages."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if ":" in host:
        host = f"[{host}]"
    try:
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        port = ""
    return urlunsplit((parts.scheme, f"{host}{port}", parts.path, "", ""))


def is_loopback(url: str) -> bool:
    """Whether the URL names this very machine: then no proxy of the environment may be asked."""
    return (urlsplit(url).hostname or "") in LOOPBACK
