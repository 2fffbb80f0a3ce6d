"""A registry on loopback that has no image: one part unknown, one part for members only."""

from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from tests.fakes.loopback import Asked, Loopback, Reply, loopback


@contextmanager
def empty_registry() -> Iterator[str]:
    """Yield "127.0.0.1:PORT": below /private/ it asks for credentials, elsewhere it knows nothing.

    Source: OCI distribution specification 1.1, error codes and authentication.
    """

    def answer(asked: Asked) -> Reply:
        if asked.path == "/token":
            return _no(401, "UNAUTHORIZED", "incorrect username or password")
        if asked.path.startswith("/v2/private/"):
            realm = f'Bearer realm="{running.url}/token",service="shop",scope="repository:pull"'
            return _no(401, "UNAUTHORIZED", "authentication required", realm)
        if asked.path in ("/v2", "/v2/"):
            return Reply(body={})
        return _no(404, "MANIFEST_UNKNOWN", "manifest unknown")

    running: Loopback
    with loopback(answer) as running:
        yield urlsplit(running.url).netloc


def _no(status: int, code: str, message: str, challenge: str = "") -> Reply:
    headers = {"Content-Type": "application/json"}
    if challenge:
        headers["WWW-Authenticate"] = challenge
    body = {"errors": [{"code": code, "message": message}]}
    return Reply(status=status, body=body, headers=headers)
