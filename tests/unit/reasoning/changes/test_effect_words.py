"""Log lines and metric names speak of effects in the field's words."""

import pytest

from bot.reasoning.changes.effect_words import effects_of_text, meaning_of_signal
from bot.reasoning.diffs.reading import Effect


@pytest.mark.parametrize(
    ("text", "effect"),
    [
        ('relation "favourites" does not exist', Effect.SCHEMA),
        ("HikariPool-1 - Connection is not available, request timed out", Effect.POOL),
        ("FATAL: sorry, too many clients already", Effect.POOL),
        ("java.lang.OutOfMemoryError: Java heap space", Effect.MEMORY_GROWTH),
        ("panic: runtime error: invalid memory address", Effect.CRASH),
        ("AttributeError: 'NoneType' object has no attribute 'id'", Effect.CRASH),
        ("deadlock detected", Effect.LOCKS),
        ("jwt signature is invalid", Effect.AUTHENTICATION),
        ("dial tcp: lookup db: no such host", Effect.ADDRESS),
        ("write: no space left on device", Effect.DISK),
        ("context deadline exceeded", Effect.TIMEOUTS),
        ("cache miss; reading through", Effect.CACHE_MISSES),
        ("consumer group lag is growing", Effect.QUEUE),
        ("attempt 3 of 5, retrying", Effect.RETRIES),
    ],
)
def test_a_line_names_its_effect(text: str, effect: Effect) -> None:
    assert effect in effects_of_text(text)


@pytest.mark.parametrize("text", ["handled request", "order placed", "started in 3 s"])
def test_a_calm_line_names_nothing_that_tells(text: str) -> None:
    assert not effects_of_text(text) - {Effect.LATENCY, Effect.ERRORS}


@pytest.mark.parametrize(
    ("name", "effect", "direction"),
    [
        ("cache_hit_ratio", Effect.CACHE_MISSES, -1),
        ("db_pool_wait_seconds_p99", Effect.POOL, 1),
        ("db_pool_max_conns", Effect.POOL, -1),
        ("heap_used_bytes", Effect.MEMORY_GROWTH, 1),
        ("db_query_count_per_request", Effect.QUERY_FANOUT, 1),
        ("consumer_lag", Effect.QUEUE, 1),
        ("login_failures_total", Effect.AUTHENTICATION, 1),
        ("orders_completed_per_min", Effect.ERRORS, -1),
    ],
)
def test_a_metric_says_what_it_is_about_and_which_way_is_worse(
    name: str, effect: Effect, direction: int
) -> None:
    meaning = meaning_of_signal(name)
    assert meaning is not None
    assert (effect in meaning.effects, meaning.direction) == (True, direction)


def test_a_name_that_says_nothing_has_no_meaning() -> None:
    assert meaning_of_signal("widgets") is None
