"""What a log or an error says about a mechanism is no such mechanism: only what is done is read."""

import re

import pytest

from bot.reasoning.diffs.languages import LOG, SPEAKS, unspoken
from bot.reasoning.diffs.read import read
from tests.unit.reasoning.diffs.examples.example import is_read
from tests.unit.reasoning.diffs.test_examples import examples_of, modules, rules_of

CODE = re.compile(r"^\+\+\+ b/\S+\.(?:py|go|js|ts|tsx|java|rb|cs|rs)$", re.M)
FILLED = {"keepalive_off", "auth_header_changed"}  # braces, which a text could be filled at
LEAVES = {"return_before_close"}  # an error does leave


def spoken(diff: str, call: str) -> str:
    """Return the diff with each line that it changes handed to `call` as a text."""

    def logged(line: str) -> str:
        body = line[1:].strip().replace('"', "'")
        indent = line[1 : len(line) - len(line[1:].lstrip())]
        return f'{line[0]}{indent}{call}("{body}")'

    return "\n".join(
        logged(line) if line[:1] in "+-" and line[:3] not in ("+++", "---") and line[1:] else line
        for line in diff.split("\n")
    )


@pytest.mark.parametrize("call", ["log.info", "raise Refused", "throw new Refused"])
@pytest.mark.parametrize("module", [m for m in modules() if m != "innocent"])
def test_no_rule_reads_its_own_example_in_the_text_of_a_log_or_an_error(
    module: str, call: str
) -> None:
    rules = rules_of(module)
    blamed = [
        (name, diff)
        for name, examples in examples_of(module).items()
        for diff in examples.reads
        if name not in FILLED | LEAVES and CODE.search(diff)
        if is_read(rules[name], spoken(diff, call))
    ]
    assert not blamed


@pytest.mark.parametrize(
    ("code", "read_as"),
    [
        ('log.info("the lock is held by %s", who)', 'log.info("", who)'),
        ("console.log(`got ${req.body}`)", 'console.log("${req.body}")'),
        ('log.Fatal(serve(":8080"))', 'log.Fatal(serve(":8080"))'),
        ('log.With("a").Info("held")', 'log.With("").Info("")'),
        ('raise Busy(f"{seat} is locked")', 'raise Busy(f"{seat}")'),
        ('return nil, fmt.Errorf("lock %s: %w", a, err)', 'return nil, fmt.Errorf("%w", a, err)'),
    ],
)
def test_words_for_people_are_not_code(code: str, read_as: str) -> None:
    assert SPEAKS.match(code)
    assert unspoken(code) == read_as


@pytest.mark.parametrize("code", ["catalog.find(1)", "dialog(x)", "login(user)", "backlog.add(1)"])
def test_a_name_that_ends_in_log_is_no_log(code: str) -> None:
    assert not LOG.match(code)


def test_a_changed_log_text_is_called_harmless_and_shown_as_written() -> None:
    diff = '--- a/berth.py\n+++ b/berth.py\n@@\n-    log.info("held")\n+    log.info("lock held")\n'
    assert [reading.rule for reading in read(diff)] == ["log_text"]
