"""What is quoted of the watched world holds no half of a secret where it is cut."""

from datetime import UTC, datetime

import pytest

from bot.domain.snapshot import KubernetesObject, Source
from bot.reasoning.statements import event_text

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.mark.parametrize("before", range(280, 301, 4))
def test_no_part_of_a_secret_is_quoted_where_an_event_is_cut(before: int) -> None:
    secret = "_".join(("ghp", "0123456789abcdefghijABCDEFGHIJ"))
    said = event_text(refusal(f"{'x' * (before - 1)} {secret} is refused"))
    assert "ghp" not in said
    assert said.startswith("pod/web: Failed: x")


def refusal(message: str) -> KubernetesObject:
    """Return an event with that message."""
    about = {"kind": "Pod", "name": "web"}
    return KubernetesObject(
        kind="Event", name="web.1", namespace="shop",
        body={"involvedObject": about, "reason": "Failed", "message": message},
        source=Source(system="kubernetes", query="events"),
    )  # fmt: skip
