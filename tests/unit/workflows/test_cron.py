"""When something that recurs is due, also on the days on which clocks are changed."""

from datetime import UTC, datetime

import pytest

from bot.domain.errors import NotConfigured
from bot.workflows.cron import Cron


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def due(cron: Cron, after: str, until: str) -> list[str]:
    return [f"{at:%m-%d %H:%M}" for at in cron.between(utc(after), utc(until))]


def test_monday_at_nine_stays_nine_for_people_when_clocks_are_changed() -> None:
    cron = Cron(fields="0 9 * * 1", zone="Europe/Paris")
    spring = due(cron, "2026-03-22T00:00", "2026-04-07T00:00")
    assert spring == ["03-23 08:00", "03-30 07:00", "04-06 07:00"]
    autumn = due(cron, "2026-10-18T00:00", "2026-11-03T00:00")
    assert autumn == ["10-19 07:00", "10-26 08:00", "11-02 08:00"]


def test_a_time_that_summer_time_leaves_out_is_due_once_just_after() -> None:
    cron = Cron(fields="30 2 * * *", zone="Europe/Paris")
    assert due(cron, "2026-03-28T12:00", "2026-03-30T12:00") == ["03-29 01:30", "03-30 00:30"]


def test_a_time_that_comes_twice_is_due_once() -> None:
    cron = Cron(fields="30 2 * * *", zone="Europe/Paris")
    assert due(cron, "2026-10-24T12:00", "2026-10-26T12:00") == ["10-25 00:30", "10-26 01:30"]


def test_every_half_hour_never_goes_back_when_clocks_do() -> None:
    cron = Cron(fields="*/30 * * * *", zone="Europe/Paris")
    for day in ("2026-03-29", "2026-10-25"):
        moments = list(cron.between(utc(f"{day}T00:00"), utc(f"{day}T06:00")))
        assert moments == sorted(set(moments))


def test_a_due_moment_itself_is_not_later_than_itself() -> None:
    cron = Cron(fields="0 9 * * 1", zone="UTC")
    at = utc("2026-03-02T09:00")
    assert cron.next(at) == utc("2026-03-09T09:00")
    assert list(cron.between(utc("2026-03-02T08:59"), at)) == [at]


@pytest.mark.parametrize(
    ("zone", "expected"),
    [("Asia/Kathmandu", "03-02 03:15"), ("Pacific/Chatham", "03-01 19:15"), ("UTC", "03-02 09:00")],
)
def test_nine_is_nine_in_every_zone(zone: str, expected: str) -> None:
    cron = Cron(fields="0 9 2 3 *", zone=zone)
    assert due(cron, "2026-03-01T00:00", "2026-03-04T00:00") == [expected]


@pytest.mark.parametrize("fields", ["", "0 9 * *", "0 9 * * 1 2026", "61 9 * * 1", "at nine", "*"])
def test_what_is_no_cron_expression_is_refused(fields: str) -> None:
    with pytest.raises(NotConfigured, match="cron"):
        Cron(fields=fields, zone="UTC")


@pytest.mark.parametrize("zone", ["", "Mars/Olympus", "../etc/passwd", "Europe/Paris\0"])
def test_what_is_no_time_zone_is_refused(zone: str) -> None:
    with pytest.raises(NotConfigured, match="time zone"):
        Cron(fields="0 9 * * 1", zone=zone)
