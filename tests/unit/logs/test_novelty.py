"""A template's count is compared with the window before."""

import pytest

from bot.logs.novelty import Trend, change


@pytest.mark.parametrize(
    ("count", "before", "trend"),
    [
        (1, 0, Trend.NEW),
        (0, 9, Trend.GONE),
        (0, 0, Trend.SAME),
        (100, 90, Trend.SAME),
        (3, 1, Trend.SAME),
        (90, 10, Trend.MORE),
        (10, 90, Trend.FEWER),
        (5, None, Trend.UNKNOWN),
    ],
)
def test_a_count_tells_what_became_of_a_template(
    count: int, before: int | None, trend: Trend
) -> None:
    assert change(count, before).trend is trend


def test_the_ratio_and_how_sure_it_is() -> None:
    found = change(400, 100)
    assert found.ratio == pytest.approx(3.99, abs=0.01)
    assert found.sigmas == pytest.approx(14.1, abs=0.1)
