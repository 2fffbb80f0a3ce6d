"""Code that moved to another file, or went with its whole function, is not what broke anything."""

import pytest

from bot.reasoning.diffs.read import read

RELEASE = (
    "func (s *Store) freeSeat(ctx context.Context, id string) error {",
    "\ts.mu.Lock()",
    "\tdefer s.mu.Unlock()",
    "\trows, err := s.db.QueryContext(ctx, free, id)",
    "\tif err != nil {",
    "\t\treturn err",
    "\t}",
    "\tdefer rows.Close()",
    "\treturn s.drop(rows)",
    "}",
)
SCALER = (
    "kind: HorizontalPodAutoscaler",
    "metadata:",
    "  name: fares",
    "spec:",
    "  minReplicas: 3",
)


def went(path: str, *lines: str, after: tuple[str, ...] = ()) -> str:
    body = [*(f"-{line}" for line in lines), *after]
    return "\n".join((f"--- a/{path}", f"+++ b/{path}", "@@ -9,12 +9,2 @@", *body, ""))


def came(path: str, *lines: str) -> str:
    body = [f"+{line}" for line in lines]
    return "\n".join(("--- /dev/null", f"+++ b/{path}", "@@ -0,0 +1,12 @@", *body, ""))


def blamed(diff: str) -> set[str]:
    return {reading.rule for reading in read(diff) if reading.weight > 1}


@pytest.mark.parametrize(
    ("old", "new", "lines"),
    [
        ("seats/hold.go", "seats/release.go", RELEASE),
        ("deploy/all.yaml", "deploy/hpa.yaml", SCALER),
    ],
)
def test_what_moved_to_another_file_is_not_blamed(
    old: str, new: str, lines: tuple[str, ...]
) -> None:
    assert not blamed(went(old, *lines) + came(new, *lines))


def test_what_changed_on_its_way_to_another_file_is_blamed() -> None:
    bare = [line for line in RELEASE if "Lock" not in line]
    diff = went("seats/hold.go", *RELEASE, after=(" var held",))
    assert "lock_removed" in blamed(diff + came("seats/release.go", *bare))


def test_what_moved_to_tests_is_gone() -> None:
    diff = went("deploy/all.yaml", *SCALER) + came("tests/hpa.yaml", *SCALER)
    assert "scaler_removed" in blamed(diff)


def test_two_lines_that_came_elsewhere_did_not_move() -> None:
    diff = went("seats/hold.go", "\tdefer rows.Close()", after=(" \tfor rows.Next() {",))
    assert "close_removed" in blamed(diff + came("seats/other.go", "\tdefer rows.Close()"))


def test_a_function_that_went_whole_leaks_nothing() -> None:
    fetch = (line.replace("freeSeat", "legacySeats") for line in RELEASE if "Lock" not in line)
    assert not blamed(went("seats/hold.go", *fetch, after=(" var held",)))


@pytest.mark.parametrize("name", ["closeAll", "evictExpired", "retryHold", "withAuthMiddleware"])
def test_a_function_that_others_rely_on_by_its_name_is_read(name: str) -> None:
    lines = (line.replace("freeSeat", name) for line in RELEASE)
    assert blamed(went("seats/hold.go", *lines))


def test_a_function_that_lost_only_part_of_its_body_is_read() -> None:
    lines = ("def seats(conn):", "    rows = conn.read()", "    conn.close()")
    assert "close_removed" in blamed(went("seats.py", *lines, after=("     return rows",)))


def test_a_decorated_function_is_read() -> None:
    lines = ("@scheduled", "def sweep(conn):", "    conn.read()", "    conn.close()")
    assert "close_removed" in blamed(went("seats.py", *lines))


def test_a_function_whose_place_another_took_is_read() -> None:
    lines = ("def seats(conn):", "    rows = conn.read()", "    conn.close()", "    return rows")
    new = ("+def seats(conn):", "+    return conn.read()")
    assert "close_removed" in blamed(went("seats.py", *lines, after=new))
