"""Runbooks are read strictly."""

import shutil
from pathlib import Path

import pytest

from bot.domain.errors import Malformed
from policies.catalog import RUNBOOKS, load

GOOD = """
name: test
symptom: it is slow
causes: [new_cause]
actions:
  - action: restart_pod
    reason: helps
verification: {window_s: 300}
lasting_fix: fix it
brittle: no
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(RUNBOOKS, tmp_path / "runbooks"))


def test_every_cause_of_the_sandbox_has_a_runbook() -> None:
    causes = {
        "slow_query", "n_plus_one_queries", "connection_pool_exhausted", "memory_leak",
        "incorrect_image_reference", "bad_feature_flag", "external_provider_failure",
        "traffic_surge", "noisy_neighbour", "certificate_expired", "grey_failure",
        "cache_memory_pressure", "crash_loop", "bad_release", "bad_config_change",
    }  # fmt: skip
    assert causes <= set(load().by_cause)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("symptom: it is slow", "symptom: it is slow\nsurprise: 1", "unknown surprise"),
        ("lasting_fix: fix it", "", "missing lasting_fix"),
        ("window_s: 300", "window_s: 1", "window_s"),
        ("window_s: 300", "window_s: soon", "expected float"),
        ("causes: [new_cause]", "causes: []", "empty: causes"),
        ("causes: [new_cause]", "causes: [slow_query]", "slow_query has a runbook already"),
        ("reason: helps", "reason: helps\n    when: {chnage: [deploy]}", "unknown chnage"),
        ("reason: helps", "reason: helps\n    when: {change: [magic]}", "magic"),
        ("action: restart_pod", "action: rm_rf", "no action is called rm_rf"),
        (
            "reason: helps",
            "reason: helps\n    first: [{action: rm_rf, reason: first}]",
            "no action is called rm_rf",
        ),
        ("reason: helps", "reason: helps\n    first: [{action: restart_pod}]", "missing reason"),
        ("reason: helps", "reason: helps\n    short_term: true", "says its trade_off"),
        ("reason: helps", "reason: helps\n    short_term: perhaps", "short_term"),
        ("lasting_fix: fix it", "lasting_fix: fix it\nchecks: [magic]", "no check is called magic"),
        (
            "lasting_fix: fix it",
            "lasting_fix: fix it\nadvice: {other: do it}",
            "advice for .* other",
        ),
        ("lasting_fix: fix it", "lasting_fix: fix it\nadvice: [do it]", "advice"),
        ("name: test", "name: [", "broken.yaml"),
        ("name: test", "name: !!python/object/apply:os.system ['true']", "broken.yaml"),
    ],
)
def test_a_broken_runbook_is_refused_with_its_reason(
    folder: Path, old: str, new: str, said: str
) -> None:
    text = GOOD.replace("brittle: no", "brittle: 'no'").replace(old, new)
    (folder / "zz_broken.yaml").write_text(text)
    with pytest.raises(Malformed, match=said):
        load(folder, actions=load().actions)


def test_all_broken_files_are_named_at_once(folder: Path) -> None:
    (folder / "one.yaml").write_text("[]")
    (folder / "two.yaml").write_text("name: 1")
    with pytest.raises(Malformed, match=r"one\.yaml.*two\.yaml"):
        load(folder)


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Malformed, match="there are none"):
        load(tmp_path)


def test_a_cause_with_a_star_stands_for_all_of_its_kind(folder: Path) -> None:
    text = GOOD.replace("new_cause", '"*_is_gone"').replace("brittle: no", "brittle: 'no'")
    (folder / "zz_star.yaml").write_text(text)
    books = load(folder)
    found = books.for_cause("mailbox_is_gone")
    assert found is not None
    assert found.name == "test"
    assert books.for_cause("mailbox_is_back") is None


def test_a_cause_has_its_own_advice_or_the_lasting_fix() -> None:
    books = load()
    disk, queries = books.for_cause("disk_full"), books.for_cause("slow_query")
    assert disk is not None and queries is not None  # noqa: PT018 - one thing: both are there
    assert books.advice_for("disk_full") == disk.advice["disk_full"]
    assert books.advice_for("slow_query") == queries.lasting_fix
    assert books.advice_for("namespace_cpu_quota_exceeded").startswith("Raise the quota")
    assert books.advice_for("never_heard_of") == ""
