"""Diffs with and without headers become files, hunks and lines."""

import time

from bot.reasoning.diffs.change import change
from bot.reasoning.diffs.parse import parse
from bot.reasoning.diffs.read import read
from bot.reasoning.diffs.rules import discover
from tests.unit.reasoning.diffs.labelled import CASES

TWO_FILES = """diff --git a/a.go b/a.go
index 1..2 100644
--- a/a.go
+++ b/a.go
@@ -1,3 +1,3 @@ func Foo() {
-	x := 1
+	x := 2
diff --git a/old.py b/old.py
deleted file mode 100644
--- a/old.py
+++ /dev/null
@@ -1 +0,0 @@
-import os
"""


def test_files_hunks_and_headers_are_found() -> None:
    first, second = parse(TWO_FILES)
    assert (first.path, first.language, first.hunks[0].header) == ("a.go", "go", "func Foo() {")
    assert (second.path, second.deleted) == ("old.py", True)


def test_a_hunk_without_file_and_numbers_is_read_by_its_syntax() -> None:
    (one,) = parse("@@ func Foo() {\n-\tdefer x.Close()\n+\terr := y.Do(ctx)\n")
    assert (one.path, one.language) == ("", "go")
    assert [line.sign for line in one.hunks[0].lines[:2]] == ["-", "+"]


def test_the_only_file_of_a_change_names_a_diff_without_headers() -> None:
    assert parse("@@\n-a: 1\n+a: 2\n", ["deploy/x.yaml"])[0].language == "yaml"


def test_a_removed_sql_comment_is_no_file_header() -> None:
    (one,) = parse("--- a/q.sql\n+++ b/q.sql\n@@\n--- tidy\n+-- tidier\n SELECT 1;\n")
    assert [line.sign for line in one.hunks[0].lines[:2]] == ["-", "+"]


def test_arrows_are_settings() -> None:
    (found,) = change(parse("pool.size: 20 → 2")[0]).settings
    assert (found.old and found.old.number, found.new and found.new.number) == (20, 2)


def test_moved_lines_neither_came_nor_went() -> None:
    one = change(parse("@@\n-\tdefer f.Close()\n x := 1\n+\tdefer f.Close()\n")[0])
    assert one.added == one.removed == ()


def test_units_of_durations_and_sizes_are_known() -> None:
    diff = "@@\n-  timeout: 5s\n+  timeout: 500ms\n-  memory: 1Gi\n+  memory: 256Mi\n"
    values = {s.key: (s.old, s.new) for s in change(parse(diff)[0]).settings}
    old, new = values["memory"]
    assert old is not None
    assert new is not None
    assert old.number == 4 * (new.number or 0)
    assert [v and v.number for v in values["timeout"]] == [5.0, 0.5]


def test_words_name_what_the_diff_touches() -> None:
    readings = read(
        "--- a/x.yaml\n+++ b/x.yaml\n@@\n-  host: orders-db.data\n+  host: orders-db2.data\n"
    )
    assert {"host", "orders", "orders-db2.data"} <= readings[0].words


def test_without_a_diff_the_names_of_the_files_say_what_is_harmless() -> None:
    assert [r.weight < 0 for r in read(None, ["docs/a.md", "README.md"])] == [True]
    assert read(None, ["app/main.py"]) == ()


def test_every_rule_has_its_own_name() -> None:
    assert len({rule.name for rule in discover()}) == len(discover()) > 300


def test_reading_is_linear_in_the_length() -> None:
    diff = "\n".join(diff for _, _, diff in CASES)
    read(diff)
    seconds = []
    for times in (1, 4):
        start = time.process_time()
        read("\n".join([diff] * times))
        seconds.append(time.process_time() - start)
    assert seconds[1] < 12 * max(seconds[0], 0.02)
