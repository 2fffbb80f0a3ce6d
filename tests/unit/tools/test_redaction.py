"""Credentials leave texts and objects; what is no credential stays."""

import time

import pytest

from bot.domain.redaction import redact
from tools.clients.redaction import is_secret_name, mask_value, redact_object

SECRETS = [
    "postgres://shop:hunter22@db:5432/shop",
    "Authorization: Bearer abcdefghijklmnop.qrstuv",
    "password=hunter22",
    'DB_PASSWORD: "hunter22"',
    "api_key = hunter22abc",
    "aws AKIAIOSFODNN7EXAMPLE used",
    "token ghp_abcdefghijklmnopqrstuvwxyz0123456789 leaked",
    "xoxb-1234567890-abcdefghij",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.sflKxwRJSMeKKF2QT4",
    "-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----",
    "sk-proj-abcdefghijklmnop1234",
    "client_secret='hunter22'",
]


@pytest.mark.parametrize("text", SECRETS)
def test_credentials_are_masked(text: str) -> None:
    found = redact(text)
    assert "[redacted]" in found
    for secret in ("hunter22", "abcdefghij", "IOSFODNN7", "MIIE", "eyJzdWIi"):
        assert secret not in found


def test_e_mails_are_masked() -> None:
    assert redact("order of rosa@shop.example failed") == "order of [e-mail] failed"


@pytest.mark.parametrize(
    "text",
    [
        "GET /cart 200 in 12 ms",
        "token bucket is empty",
        "http://checkout:8080/api?limit=5",
        "image registry:5000/shop/web:v2.41",
        "passed 12 checks",
    ],
)
def test_ordinary_words_stay(text: str) -> None:
    assert redact(text) == text


@pytest.mark.parametrize("name", ["DB_PASSWORD", "apiKey", "STRIPE_SECRET", "auth-token", "dsn"])
def test_names_of_credentials_are_known(name: str) -> None:
    assert is_secret_name(name)


@pytest.mark.parametrize(
    "name", ["TOKEN_TTL", "PASSWORD_MIN_LENGTH", "DB_POOL_SIZE", "SECRET_NAME", "tokenizer"]
)
def test_names_of_settings_about_credentials_are_not(name: str) -> None:
    assert not is_secret_name(name)


def test_a_mask_tells_values_apart_and_no_more() -> None:
    assert mask_value("a") != mask_value("b")
    assert mask_value("a") == mask_value("a")
    assert len(mask_value("x" * 100)) == len("[redacted:abcd]")


def test_objects_lose_credentials_and_bookkeeping() -> None:
    body = {
        "kind": "Pod",
        "metadata": {
            "name": "web",
            "managedFields": [{"manager": "x"}],
            "annotations": {
                "kubectl.kubernetes.io/last-applied-configuration": "{}",
                "note": "password=hunter22",
            },
        },
        "spec": {
            "containers": [
                {
                    "args": ["--api-key=hunter22", "--port=8080"],
                    "env": [
                        {"name": "API_TOKEN", "value": "hunter22"},
                        {"name": "FROM", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}},
                    ],
                }
            ]
        },
        "data": {"url": "redis://:hunter22@cache:6379"},
    }
    clean = redact_object(body)
    assert "hunter22" not in str(clean)
    assert clean["metadata"]["annotations"].keys() == {"note"}
    assert "managedFields" not in clean["metadata"]
    container = clean["spec"]["containers"][0]
    assert container["env"][1]["valueFrom"]["secretKeyRef"]["name"] == "s"
    assert container["args"][1] == "--port=8080"
    assert body["metadata"]["managedFields"], "the original is not touched"


def test_hostile_lines_are_read_in_time() -> None:
    started = time.process_time()
    for text in ("a" * 20_000, "a.b-" * 5_000, "password" * 3_000, "@" * 20_000, "x=" * 10_000):
        redact(text)
    assert time.process_time() - started < 2.0
