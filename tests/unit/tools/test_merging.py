"""Taking a change back although other lines changed since."""

from hypothesis import given, settings
from hypothesis import strategies as st

from tools.clients.merging import merged

LINES = st.lists(st.sampled_from(["a", "b", "c", "d"]), max_size=12).map("\n".join)


def test_other_lines_stay_as_they_are_now() -> None:
    base = "1\nbad\n3\n4\n5\n6"
    assert merged(base, "1\nbad\n3\n4\n5\nsix", "1\ngood\n3\n4\n5\n6") == "1\ngood\n3\n4\n5\nsix"


def test_the_same_and_neighbouring_lines_collide() -> None:
    assert merged("1\nbad\n3", "1\nworse\n3", "1\ngood\n3") is None
    assert merged("1\nbad\n3", "1\nbad\nthree", "1\ngood\n3") is None


def test_the_same_change_made_already_is_no_collision() -> None:
    assert merged("1\nbad\n3\n4\n5", "1\ngood\n3\n4\nV", "1\ngood\n3\n4\n5") == "1\ngood\n3\n4\nV"


def test_what_is_too_long_is_left_to_people() -> None:
    assert merged("a", "\n" * 30_000, "b") is None


@settings(max_examples=200, deadline=None)
@given(base=LINES, ours=LINES, theirs=LINES)
def test_one_sided_changes_are_taken_whole_and_both_orders_agree(
    base: str, ours: str, theirs: str
) -> None:
    assert merged(base, base, theirs) == theirs
    assert merged(base, ours, base) == ours
    assert merged(base, ours, theirs) in (merged(base, theirs, ours), None)
