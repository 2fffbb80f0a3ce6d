"""The picture of a report: drawn for odd input too, small, and quick."""

import io
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from PIL import Image

from bot.domain.diagnosis import ChartData
from bot.domain.snapshot import Change, ChangeKind, Series, Source
from bot.reports.chart import HEIGHT, WIDTH, chart

T0 = datetime(2026, 11, 21, 13, 30, tzinfo=UTC)
SOURCE = Source(system="prometheus", query="up")
RED, BLUE, GREEN = (200, 30, 40), (18, 100, 163), (214, 236, 220)


def change(id: str, minutes: float, **fields: Any) -> Change:
    made = Change(
        id=id, kind=ChangeKind.DEPLOY, service="checkout", object="deployment/checkout",
        at=T0 + timedelta(minutes=minutes), summary="", before=None, after="v2.41", diff=None,
        link=None, source=SOURCE,
    )  # fmt: skip
    return replace(made, **fields)


def given(**fields: Any) -> ChartData:
    times = tuple(T0.timestamp() + 15 * i for i in range(240))
    values = tuple(0.2 if i < 132 else 4.1 for i in range(240))
    series = Series(
        signal="latency_p99",
        service="checkout",
        times=times,
        values=values,
        unit="s",
        source=SOURCE,
    )
    made = ChartData(
        series=series, usual_low=0.15, usual_high=0.3, onset=T0 + timedelta(minutes=33), changes=()
    )
    return replace(made, **fields)


def opened(png: bytes) -> Image.Image:
    return Image.open(io.BytesIO(png)).convert("RGB")


def count(image: Image.Image, colour: tuple[int, int, int]) -> int:
    colours = image.getcolors(WIDTH * HEIGHT) or []
    return sum(n for n, c in colours if c == colour)


def test_shows_the_signal_its_band_and_the_onset() -> None:
    image = opened(chart(given()))
    assert image.size == (WIDTH, HEIGHT)
    assert min(count(image, BLUE), count(image, GREEN), count(image, RED)) > 200


def test_without_an_onset_and_a_suspect_nothing_is_red() -> None:
    assert count(opened(chart(given(onset=None, changes=(change("a", 31),)))), RED) == 0


def test_only_the_named_suspect_is_highlighted() -> None:
    both = (change("a", 31), change("b", 32.5))
    plain = count(opened(chart(given(onset=None, changes=both))), RED)
    marked = count(opened(chart(given(onset=None, changes=both), "a")), RED)
    assert (plain, marked > 50) == (0, True)


def test_takes_less_than_150_ms_of_cpu() -> None:
    chart(given())  # the font is loaded once
    begun = time.process_time()
    chart(given(changes=tuple(change(str(n), n) for n in range(30))), "3")
    assert time.process_time() - begun < 0.15 * 3  # room for a busy machine


@pytest.mark.parametrize(
    ("times", "values"),
    [
        ((), ()),
        ((0.0,), (1.0,)),
        ((0.0, 60.0), (0.0, 0.0)),
        ((0.0, 60.0), (-5.0, -5.0)),
        ((0.0, 60.0), (float("nan"), float("inf"))),
        ((0.0, float("nan")), (1.0, 2.0)),
        ((0.0, 60.0, 120.0), (1e-9, 1e299, 3.0)),
        ((60.0, 0.0), (1.0, 2.0)),
        ((0.0, 60.0), (1.0,)),
        (tuple(float(i) for i in range(100_000)), tuple(float(i % 7) for i in range(100_000))),
        ((0.0, 3e9), (1.0, 2.0)),
    ],
)
def test_odd_series_are_drawn(times: tuple[float, ...], values: tuple[float, ...]) -> None:
    series = replace(given().series, times=times, values=values)
    assert opened(chart(given(series=series))).size == (WIDTH, HEIGHT)


@pytest.mark.parametrize(
    ("low", "high"), [(0.0, 0.0), (5.0, 1.0), (float("nan"), 1.0), (float("-inf"), float("inf"))]
)
def test_odd_bands_are_drawn(low: float, high: float) -> None:
    chart(given(usual_low=low, usual_high=high))


@pytest.mark.parametrize("unit", ["ratio", "B", "1/s", "", "x" * 500])
def test_every_unit_is_drawn(unit: str) -> None:
    chart(given(series=replace(given().series, unit=unit)))


def test_hostile_names_are_drawn() -> None:
    bad = "<!channel> \ud800 \x00 \u202e password=hunter2 " * 50
    changes = tuple(change(str(n), n, service=bad, after=bad) for n in range(200))
    series = replace(given().series, service=bad, signal=bad)
    chart(given(series=series, changes=changes), "3")


def test_a_spike_of_one_sample_is_not_lost() -> None:
    values = [0.2] * 50_000
    values[25_000] = 9.0
    times = tuple(T0.timestamp() + i for i in range(50_000))
    flat = replace(given().series, times=times, values=tuple([0.2] * 50_000))
    spiky = replace(given().series, times=times, values=tuple(values))
    assert chart(given(series=flat)) != chart(given(series=spiky))
