"""What requests do now is compared with what they did, and traced to where it starts."""

from datetime import timedelta

import pytest

from bot.domain.snapshot import Span
from bot.reasoning.traces import compare, likelihood_ratio
from tests.unit.reasoning.scenes import NOW, SOURCE


def span(
    trace: int, number: int, parent: int | None, service: str, operation: str,
    seconds: float = 0.01, *events: str,
) -> Span:  # fmt: skip
    return Span(
        trace_id=f"t{trace}", span_id=f"s{number}", parent_id=f"s{parent}" if parent else None,
        service=service, operation=operation, start=NOW + timedelta(seconds=3 * trace),
        duration_s=seconds, error=False, attributes={}, source=SOURCE, events=events,
    )  # fmt: skip


def request(
    trace: int, *, wrote: bool = True, failed: bool = False, way: float = 0.001
) -> list[Span]:
    """Web calls cart, cart asks its store and says that it is done."""
    errors = ("error: no item <*>",) if failed else ()
    stored = [span(trace, 4, 3, "cart", "SELECT", 0.004)]
    web = ("error: cart failed",) if failed else ()
    return [
        span(trace, 1, None, "web", "GET /", 0.05 + way, *web),
        span(trace, 2, 1, "web", "HTTP GET", 0.02 + way),
        span(trace, 3, 2, "cart", "get", 0.02, *errors, *(("info: done",) if wrote else ())),
        *stored,
    ]


def many(count: int, first: int = 0, **how: bool | float) -> list[Span]:
    return [s for n in range(count) for s in request(first + n, **how)]  # type: ignore[arg-type]


def test_nothing_is_odd_where_nothing_changed() -> None:
    compared = compare(many(30), many(40, 100))
    assert (compared.oddities, compared.origins, compared.odd_traces) == ((), {}, 0)
    assert {place.chance for place in compared.slow} == {1.0}


def test_a_step_left_out_is_traced_to_the_service_that_leaves_it_out() -> None:
    compared = compare(many(30), [*many(15, 100), *many(15, 200, wrote=False)])
    (odd,) = compared.oddities
    assert (odd.service, odd.step, odd.missing) == ("cart", ("event", "info: done"), True)
    assert (odd.share_before, odd.share_now) == (1.0, 0.5)
    assert compared.origins == {"cart": 15.0}


def test_a_new_error_starts_at_the_deepest_span_and_not_at_its_callers() -> None:
    compared = compare(many(30), [*many(15, 100), *many(15, 200, failed=True, wrote=False)])
    assert compared.origins == {"cart": 15.0}
    assert {o.service for o in compared.oddities} == {"cart", "web"}


def test_an_error_that_was_always_there_is_not_odd() -> None:
    assert compare(many(30, failed=True), many(30, 100, failed=True)).oddities == ()


def test_an_error_that_is_gone_is_no_trouble() -> None:
    assert compare(many(30, failed=True, wrote=False), many(30, 100)).oddities == ()


def test_a_step_that_failing_requests_always_left_out_is_not_odd_when_more_of_the_same_come() -> (
    None
):
    before = [*many(12), *many(12, 50, failed=True, wrote=False)]
    now = [*many(30, 100), *many(30, 200, failed=True, wrote=False)]
    assert compare(before, now).oddities == ()


def test_spans_of_one_trace_count_once() -> None:
    def shop(trace: int, *, failed: bool) -> list[Span]:
        errors = ("error: no item <*>",) if failed else ()
        return [span(trace, n, None, "cart", "get", 0.01, *errors) for n in range(1, 40)]

    before = [s for n in range(6) for s in shop(n, failed=False)]
    now = [s for n in range(6) for s in shop(100 + n, failed=n < 3)]
    (odd,) = compare(before, now).oddities
    assert (odd.traces_now, odd.traces_before) == (3, 6)
    assert odd.chance > 0.05


def test_few_requests_say_nothing() -> None:
    assert compare(many(3), many(3, 100, failed=True)).oddities == ()
    assert compare([], many(9)).oddities == compare(many(9), []).oddities == ()


def test_a_slow_way_is_named_by_both_ends() -> None:
    compared = compare(many(30), many(30, 100, way=0.2))
    worst = max(compared.slow, key=lambda p: p.now_s)
    assert (worst.caller, worst.service) == ("web", "cart")
    assert worst.now_s == pytest.approx(0.2, abs=0.01)
    assert (worst.traces_before, worst.traces_slow) == (30, 30)
    assert worst.chance < 1e-12


def test_spans_in_a_circle_or_without_their_caller_are_taken_as_they_come() -> None:
    circle = [span(n, 1, 2, "a", "x") for n in range(9)] + [
        span(n, 2, 1, "b", "y") for n in range(9)
    ]
    orphan = [span(n, 1, 77, "a", "x", 0.01, "error: lost") for n in range(9)]
    failing = [span(n, 1, 2, "a", "x", 0.01, "error: z") for n in range(9)] + circle[9:]
    assert compare(circle, circle).oddities == ()
    assert compare(circle, failing).odd_traces == 9
    assert compare(orphan, orphan).oddities == ()


@pytest.mark.parametrize(
    ("now", "before", "least", "most"),
    [((0, 10), (0, 10), 0, 0), ((5, 10), (5, 10), 0, 0), ((10, 10), (0, 10), 20, 40),
     ((1, 100), (0, 100), 0, 3)],
)  # fmt: skip
def test_the_likelihood_ratio_grows_with_the_difference(
    now: tuple[int, int], before: tuple[int, int], least: float, most: float
) -> None:
    assert least <= likelihood_ratio(*now, *before) <= most
