"""The GitHub client against a server that answers what the test says."""

from pathlib import Path
from typing import Any

import pytest

from bot.domain.environment import Environment, Tier
from bot.domain.errors import (
    Malformed,
    NotConfigured,
    Refused,
    SreBotError,
    Unavailable,
    UnknownName,
)
from tests.fakes.loopback import Asked, Reply, loopback
from tools.clients.github import GitHub, Repository

TOKEN = "plain-t0k3n-of-the-test"
CART = Repository(name="shop/cart")


def environment(**settings: Any) -> Environment:
    return Environment(
        name="prod", tier=Tier.PRODUCTION, namespaces=("shop",), connections={"github": settings}
    )


def github(**settings: Any) -> GitHub:
    found = GitHub.of(environment(**settings))
    assert found
    return found


@pytest.fixture
def token_file(tmp_path: Path) -> str:
    path = tmp_path / "token"
    path.write_text(f"{TOKEN}\n")
    return str(path)


def test_services_are_mapped_to_repositories() -> None:
    client = github(
        repositories={
            "cart": "shop/cart",
            "web": {"repository": "shop/mono", "path": "/services/web/", "branch": "release"},
        },
    )
    assert client.source.url == "https://api.github.com"
    assert client.repository("cart") == CART
    assert client.repository("web") == Repository(
        name="shop/mono", path="services/web", branch="release"
    )
    with pytest.raises(UnknownName):
        client.repository("x")


@pytest.mark.parametrize(
    "wrong",
    ["cart", "../x/y", "../..", "a/b?c", 3, {"path": "x"}, {"repository": "a/b", "folder": "x"}],
)
def test_a_wrong_repository_says_which_setting(wrong: Any) -> None:
    with pytest.raises(NotConfigured, match=r"connections\.github\.repositories\.cart"):
        github(repositories={"cart": wrong})


async def test_the_token_and_the_version_go_with_every_request(token_file: str) -> None:
    with loopback(lambda _: Reply(body={"sha": "a" * 40})) as server:
        client = github(url=server.url, token_file=token_file)
        await client.commit(CART, "a" * 40)
        headers = server.asked[0].headers
    assert headers["Authorization"] == f"Bearer {TOKEN}"
    assert headers["X-GitHub-Api-Version"] == "2022-11-28"
    assert headers["Accept"] == "application/vnd.github+json"


async def test_lists_are_read_page_by_page_up_to_a_limit() -> None:
    def answer(asked: Asked) -> Reply:
        page = int(asked.query["page"])
        return Reply(body=[{"id": n} for n in range(100 if page < 3 else 7)])

    with loopback(answer) as server:
        client = github(url=server.url)
        whole = await client.deployments(CART, most=1000)
        part = await client.deployments(CART, most=150)
    assert (len(whole.items), whole.more) == (207, False)
    assert (len(part.items), part.more) == (150, True)


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (Reply(status=401), Refused),
        (Reply(status=403), Refused),
        (Reply(status=403, headers={"X-RateLimit-Remaining": "0"}), Unavailable),
        (Reply(status=403, headers={"Retry-After": "60"}), Unavailable),
        (Reply(status=429), Unavailable),
        (Reply(status=502), Unavailable),
        (Reply(status=404), UnknownName),
        (Reply(status=301, headers={"Location": "http://169.254.169.254"}), Malformed),
        (Reply(body=b"<html>"), Malformed),
        (Reply(body=b"[" * 100_000), Malformed),
        (Reply(body=[1]), Malformed),
        (Reply(body={"message": "x"}), Malformed),
    ],
)
async def test_failures_are_sorted_by_what_to_do(
    reply: Reply, error: type[SreBotError], token_file: str
) -> None:
    with loopback(lambda _: reply) as server:
        client = github(url=server.url, token_file=token_file)
        with pytest.raises(error) as raised:
            await client.deployments(CART, most=10)
    assert type(raised.value) is error


async def test_a_server_that_echoes_the_token_does_not_get_it_into_a_text(token_file: str) -> None:
    echo = Reply(status=500, body=f"bad header {TOKEN}".encode())
    with loopback(lambda _: echo) as server, pytest.raises(Unavailable) as raised:
        await github(url=server.url, token_file=token_file).allowance()
    assert TOKEN not in str(raised.value)
    assert "bad header [redacted]" in str(raised.value)


@pytest.mark.parametrize(
    "sha", ["", "../../user", "main", "A" * 40, None, 7, "abc", "a" * 41 + "/"]
)
async def test_what_is_no_hash_never_gets_into_a_path(sha: Any) -> None:
    with loopback(lambda _: Reply(body={})) as server:
        with pytest.raises(Malformed):
            await github(url=server.url).commit(CART, sha)
        assert server.asked == []


async def test_a_file_is_read_as_text() -> None:
    found = {"encoding": "base64", "content": "eyJmbGFn\ncyI6IHt9fQ==\n"}
    with loopback(lambda _: Reply(body=found)) as server:
        text = await github(url=server.url).text(CART, "config/my flags.json", "a" * 40)
        assert server.asked[0].path == "/repos/shop/cart/contents/config/my%20flags.json"
    assert text == '{"flags": {}}'


@pytest.mark.parametrize(
    "found", [{"encoding": "none"}, {"encoding": "base64", "content": "/w=="}, {}]
)
async def test_a_file_that_is_no_text_is_malformed(found: Any) -> None:
    with loopback(lambda _: Reply(body=found)) as server, pytest.raises(Malformed):
        await github(url=server.url).text(CART, "x", "main")


@pytest.mark.parametrize("text", ["", "two\nlines", "täglich", "a\x00b"])
def test_a_token_that_cannot_be_sent_says_which_setting(tmp_path: Path, text: str) -> None:
    path = tmp_path / "token"
    path.write_text(text)
    with pytest.raises(NotConfigured, match=r"connections\.github\.token_file"):
        github(token_file=str(path))


def test_pages_for_people_follow_the_server() -> None:
    assert github().page(CART, "commit", "abc") == "https://github.com/shop/cart/commit/abc"
    enterprise = github(url="https://git.example/api/v3")
    assert enterprise.page(CART, "commit", "abc") == "https://git.example/shop/cart/commit/abc"
