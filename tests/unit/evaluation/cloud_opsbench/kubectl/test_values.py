"""The small things that kubectl prints."""

from datetime import UTC, datetime

from bot.evaluation.cloud_opsbench.kubectl import values
from bot.evaluation.cloud_opsbench.kubectl.outline import outline, table


def test_ages_and_counted_ages() -> None:
    assert values.age_seconds("2m13s") == 133
    assert values.age_seconds("8d") == 8 * 86400
    assert values.age_seconds("<unknown>") is None
    assert values.counted_age("19s (x15 over 101s)") == (19.0, 15, 101.0)
    assert values.counted_age("3m") == (180.0, 1, 180.0)
    assert values.counted_age("soon") == (None, 1, None)


def test_times_become_utc() -> None:
    assert values.moment("Fri, 28 Nov 2025 15:31:20 +0800") == "2025-11-28T07:31:20Z"
    assert values.moment("<unset>") is None
    assert values.moment("not a time") is None
    assert values.ago(60, datetime(2026, 1, 1, tzinfo=UTC)) == "2025-12-31T23:59:00Z"


def test_selectors_of_all_operators() -> None:
    found = values.label_selector("app=x,tier in (a,b),zone notin (c),!old,new")
    assert found["matchLabels"] == {"app": "x"}
    operators = {e["key"]: e["operator"] for e in found["matchExpressions"]}
    assert operators == {"tier": "In", "zone": "NotIn", "old": "DoesNotExist", "new": "Exists"}
    assert values.label_selector("<none>") == {}


def test_taints_and_tolerations() -> None:
    assert values.taint("k:NoExecute") == {"key": "k", "effect": "NoExecute"}
    assert values.toleration("op=Exists") == {"operator": "Exists"}
    assert values.toleration("k:NoSchedule op=Exists") == {
        "key": "k",
        "operator": "Exists",
        "effect": "NoSchedule",
    }


def test_an_outline_keeps_order_repeated_keys_and_nesting() -> None:
    found = outline("A: 1\n  B: 2\n    C: 3\nA: 4\nAge:<none>\nurl: http://x:80/\n")
    assert [e.value for e in found if e.key == "A"] == ["1", "4"]
    assert found.entry("A").below().entry("B").below().value("C") == "3"
    assert found.value("url") == "http://x:80/"
    assert found.value("missing") == ""


def test_a_table_keeps_empty_cells() -> None:
    rows = table("NAME   NODE   AGE\na             2m\nb      n1     3m\n")
    assert rows[0] == {"NAME": "a", "NODE": "", "AGE": "2m"}
    assert table("") == []
