"""Settings come from the environment once, and what is wrong is named."""

from pathlib import Path

import pytest

from bot.domain.environment import Tier
from bot.domain.errors import NotConfigured
from bot.settings import load, load_environments, normal_url


def test_the_defaults_need_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    monkeypatch.delenv("DATABASE_URL", raising=False)
    settings = load()
    assert settings.database == f"sqlite:///{tmp_path}/sre-bot/sre-bot.sqlite"
    assert settings.journal.endswith("sre-bot-journal.sqlite")
    assert settings.slack_mode == "socket"


def test_every_wrong_setting_is_named_without_its_value(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SRE_BOT_HTTP_PORT", "eighty-secret")
    monkeypatch.setenv("SRE_BOT_CLOCK_RATE", "-1")
    with pytest.raises(NotConfigured) as caught:
        load()
    assert "SRE_BOT_HTTP_PORT" in str(caught.value)
    assert "SRE_BOT_CLOCK_RATE" in str(caught.value)
    assert "secret" not in str(caught.value)


def test_a_token_is_not_shown() -> None:
    from bot.settings import Settings

    assert "xoxb-1" not in repr(Settings(slack_bot_token="xoxb-1"))


def test_a_postgresql_url_gets_its_driver() -> None:
    assert normal_url("postgres://u@h/d") == "postgresql+psycopg://u@h/d"
    assert normal_url("postgresql+psycopg://u@h/d") == "postgresql+psycopg://u@h/d"


def test_environments_are_read_from_yaml(tmp_path: Path) -> None:
    path = tmp_path / "e.yaml"
    path.write_text(
        "environments:\n- name: prod\n  tier: production\n  default: true\n  namespaces: [shop]\n"
        "  connections: {prometheus: {url: 'http://127.0.0.1:9090'}}\n"
    )
    (found,) = load_environments(path)
    assert found.tier is Tier.PRODUCTION
    assert found.connections["prometheus"]["url"] == "http://127.0.0.1:9090"
    assert load_environments(None) == ()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "expected an object"),
        ("environments: 3", "expected a list"),
        (
            "environments: [{name: a, tier: production, namespaces: [], on_call: {web: '@here'}}]",
            "a: on_call of web must be the id of a Slack user",
        ),
        ("environments: [{name: a}]", "missing namespaces, missing tier"),
        ("environments: [{name: a, tier: huge, namespaces: []}]", "'huge' is not one of"),
        ("environments: [{name: a, tier: staging, namespaces: [], colour: x}]", "unknown colour"),
        ("environments: [", "cannot be read"),
        (
            "environments: [{name: a, tier: staging, namespaces: []},"
            " {name: a, tier: staging, namespaces: []}]",
            "same name",
        ),
        (
            "environments: [{name: a, tier: staging, namespaces: [], default: true},"
            " {name: b, tier: staging, namespaces: [], default: true}]",
            "more than one",
        ),
    ],
)
def test_a_wrong_file_is_refused_by_field(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "e.yaml"
    path.write_text(text)
    with pytest.raises(NotConfigured, match=says):
        load_environments(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotConfigured, match=r"nowhere\.yaml"):
        load_environments(tmp_path / "nowhere.yaml")
