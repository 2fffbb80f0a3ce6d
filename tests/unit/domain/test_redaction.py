"""No secret leaves, no text of data bites, and no input takes long."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.redaction import MASK, MASKED_MAIL, neutralise, printable, redact

HEX32 = "0123456789abcdef" * 2
WORD40 = "aB3dE5gH7jK9mN1pQ3sT5vX7zA9cD1fG3hJ5kL7m"
KEY = f"-----BEGIN RSA PRIVATE KEY-----\nMIIEow{WORD40}\n{WORD40}\n-----END RSA PRIVATE KEY-----"

# (text, the part that must be gone); joined here, so that no scanner takes them for real ones
SECRETS = [
    ("AKIA" + "IOSFODNN7EXAMPLE", "IOSFODNN7"),
    ("ASIA" + "IOSFODNN7EXAMPLE", "IOSFODNN7"),
    (f"aws_secret_access_key = {WORD40}", WORD40),
    (f"AccountKey={WORD40}{WORD40}ab==", WORD40),
    ("gh" + f"p_{WORD40[:36]}", WORD40[:36]),
    ("github" + f"_pat_{WORD40}", WORD40),
    ("glp" + f"at-{WORD40[:20]}", WORD40[:20]),
    ("xox" + f"b-123456789012-{WORD40[:24]}", WORD40[:24]),
    ("xapp" + f"-1-A0-{WORD40}", WORD40),
    (f"https://hooks.slack.com/services/T00/B00/{WORD40[:24]}", WORD40[:24]),
    ("sk_li" + f"ve_{WORD40[:24]}", WORD40[:24]),
    ("rk_te" + f"st_{WORD40[:24]}", WORD40[:24]),
    ("AIza" + WORD40[:35], WORD40[:35]),
    ("ya29" + f".{WORD40}", WORD40),
    ("sk-" + f"proj-{WORD40}", WORD40),
    ("sk-" + f"ant-api03-{WORD40}", WORD40),
    ("npm_" + WORD40[:36], WORD40[:36]),
    (f"//registry.example/:_authToken={WORD40}", WORD40),
    ("pypi-" + f"AgEIcHlwaS5vcmc{WORD40}", WORD40),
    ("SG." + f"{WORD40[:22]}.{WORD40}abc", WORD40[:22]),
    ("sq0" + f"csp-{WORD40}", WORD40),
    ("shp" + f"at_{HEX32}", HEX32),
    ("dop" + f"_v1_{HEX32}{HEX32}", HEX32),
    ("hvs" + f".{WORD40}", WORD40),
    (f"{HEX32}-us12", HEX32),
    ("A" + f"C{HEX32}", HEX32),
    ("110201543:A" + f"A{WORD40[:33]}", WORD40[:33]),
    ("M" + f"{WORD40[:23]}.abcdef.{WORD40[:27]}", WORD40[:23]),
    ("AKC" + WORD40, WORD40),
    ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1g", "dBjft"),
    (KEY, WORD40),
    (KEY.replace("-----END RSA PRIVATE KEY-----", ""), WORD40),
    (KEY.replace("\n", "\\n"), WORD40),
    ("https://bob:hunter2@host.example/x", "hunter2"),
    ("postgres://bob:hunter2@db:5432/shop?sslmode=disable", "hunter2"),
    ("mongodb+srv://bob:p@hunter2@cluster0.example/x", "hunter2"),
    ("redis://:hunter2@cache:6379/0", "hunter2"),
    ("amqp://guest:hunter2@rabbit/vhost", "hunter2"),
    ("https://hunter2token@github.example/x.git", "hunter2"),
    ("Server=db;User Id=sa;Password=hunter2;", "hunter2"),
    ("host=db user=shop password='hunter2 with spaces'", "hunter2"),
    ("DB_PASSWORD=hunter2", "hunter2"),
    ('{"db_password": "hunter2", "x": 1}', "hunter2"),
    ('{\\"password\\": \\"hunter2\\"}', "hunter2"),
    ("spring.datasource.password: hunter2", "hunter2"),
    ("client_secret => hunter2", "hunter2"),
    ("api-key: hunter2", "hunter2"),
    ("https://x.example/cb?access_token=hunter2&a=b", "hunter2"),
    ("mysql --password hunter2 shop", "hunter2"),
    ("curl -u bob:hunter2 https://x.example", "hunter2"),
    (f"Authorization: Bearer {WORD40}", WORD40),
    ("authorization: Basic Ym9iOmh1bnRlcjI=", "Ym9iOmh1"),
    (f"sent bearer {WORD40} to upstream", WORD40),
    ("Set-Cookie: session=hunter2; Path=/", "hunter2"),
    ("mail bob.smith+x@mail.corp.example now", "bob.smith"),
]

ORDINARY = [
    "2026-11-21T03:02:11.123Z ERROR checkout-7c9f8b6d5-x2x4z upstream timeout=5000ms attempt 3",
    "sum(rate(http_server_request_duration_seconds_count{service_name=\"checkout\"}[2m])) by (le)",
    "kubectl rollout undo deployment/checkout --to-revision=40 -n shop",
    "secretName: checkout-tls, tokens=300, max_tokens=4096, token_count: 7",
    "image registry.example/shop/checkout@sha256:" + HEX32 * 2,
    "http://catalogue.shop.svc:8080/products?id=7 -> 503 (pool 20/20, 31 waiting)",
    "p99 4.1 s, usually 0.2 s; 12 of 12 pods; trace 4bf92f3577b34da6a3ce929d0e0e4736",
    "password: ${DB_PASSWORD} token: <redacted> secret: null",
    "MountVolume.SetUp failed for volume \"certs\" : secret \"checkout-tls\" not found",
]  # fmt: skip


@pytest.mark.parametrize(("text", "secret"), SECRETS)
def test_a_credential_is_masked_wherever_it_stands(text: str, secret: str) -> None:
    for line in (text, f"before {text} after", f'"{text}"', f"{text}\n{text}", f"x={text}"):
        safe = redact(line)
        assert secret not in safe
        assert MASK in safe or MASKED_MAIL in safe
        assert redact(safe) == safe


@pytest.mark.parametrize("text", ORDINARY)
def test_ordinary_lines_stay_as_they_are(text: str) -> None:
    assert redact(text) == text


def test_what_helps_to_find_the_trouble_is_kept() -> None:
    assert redact("postgres://bob:hunter2@db:5432/shop") == "postgres://[redacted]@db:5432/shop"
    assert redact("DB_PASSWORD=hunter2 retries=3") == "DB_PASSWORD=[redacted] retries=3"


@given(before=st.text(max_size=40), after=st.text(max_size=40), which=st.sampled_from(SECRETS))
def test_no_surroundings_let_a_secret_out(before: str, after: str, which: tuple[str, str]) -> None:
    text, secret = which
    assert secret not in redact(f"{before} {text} {after}")


@given(st.text())
def test_any_text_is_redacted_without_error(text: str) -> None:
    redact(text)


N = 1_000_000
HOSTILE = {
    "one letter": "a" * N,
    "at signs": "@" * N,
    "half an address": "a@" * (N // 2),
    "dotted address": "a.b@" + "a." * (N // 2),
    "keys without values": "password" * (N // 8),
    "keys of keys": "password=" * (N // 9),
    "spaces after a key": "password" + " " * N,
    "quotes": 'password="' * (N // 10),
    "tokens": "token_" * (N // 6),
    "schemes": "a://" * (N // 4),
    "users of a URL": "http://" + "b:" * (N // 2),
    "begins of keys": "-----BEGIN PRIVATE KEY-----" * (N // 27),
    "begins of JWTs": "eyJaaaaa." * (N // 9),
    "headers": "authorization: " * (N // 15),
    "command options": " -u a" * (N // 5),
    "hex": "0123456789abcdef" * (N // 16) + "-us",
    "capitals": "M" * N + ".",
    "digits": "1" * N + ":aa",
    "angles": "<" * N,
    "ampersands": "&" * N,
    "broadcasts": "@here" * (N // 5),
    "newlines": "\n" * N,
    "zeros": "\x00" * N,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_megabyte_takes_no_time(name: str) -> None:
    begun = time.process_time()
    neutralise(redact(HOSTILE[name]))
    assert time.process_time() - begun < 2.0


def test_an_ordinary_line_costs_microseconds() -> None:
    line = ORDINARY[0]
    best = min(_seconds(line) for _ in range(5))
    assert best / 500 < 100e-6  # about 10 µs on an idle machine; ten times that on a busy one


def _seconds(line: str) -> float:
    begun = time.process_time()
    for _ in range(500):
        redact(line)
    return time.process_time() - begun


class TestNeutralise:
    @given(st.text())
    def test_no_markup_and_no_broadcast_survives(self, text: str) -> None:
        safe = neutralise(text)
        assert not any(c in safe for c in "<>")
        for word in ("@channel", "@here", "@everyone", "://"):
            assert word not in safe.lower() or not word[1:].isascii()
        safe.encode()

    @pytest.mark.parametrize(
        ("text", "safe"),
        [
            ("<!channel>", "&lt;!channel&gt;"),
            ("<@U123>", "&lt;@U123&gt;"),
            ("a & b", "a &amp; b"),
            ("@Here", "@\u200bHere"),
            ("https://evil.example", "https:\u200b//evil.example"),
            ("mailto:a", "mailto\u200b:a"),
            ("\u202eabc\x00\ud800", "abc"),
            ("bob@hereford and image@sha256:1", "bob@hereford and image@sha256:1"),
        ],
    )
    def test_each_tooth_is_pulled(self, text: str, safe: str) -> None:
        assert neutralise(text) == safe

    def test_ordinary_text_stays(self) -> None:
        assert neutralise("p99 4.1 s (usually 0.2 s), `checkout`") == (
            "p99 4.1 s (usually 0.2 s), `checkout`"
        )

    def test_tabs_and_newlines_and_other_scripts_stay(self) -> None:
        assert printable("a\tb\n日本語 🔎 é") == "a\tb\n日本語 🔎 é"
