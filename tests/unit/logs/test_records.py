"""The lines of a stack trace are one record, told with the innermost cause."""

from bot.logs.records import records


def told(text: str) -> list[str]:
    return [record.text for record in records(text.splitlines())]


def test_a_java_trace_is_told_with_its_innermost_cause() -> None:
    text = """ERROR charge failed
java.lang.RuntimeException: wrapped
\tat com.acme.Charge.run(Charge.java:12)
Caused by: java.net.ConnectException: Connection refused
\tat java.net.Socket.connect(Socket.java:1)
\t... 12 more
INFO next order"""
    assert told(text) == [
        "ERROR charge failed: java.net.ConnectException: Connection refused",
        "INFO next order",
    ]


def test_a_python_traceback_is_told_by_what_was_raised() -> None:
    text = """Traceback (most recent call last):
  File "shop.py", line 3, in pay
    charge(order)
ValueError: no currency
started again"""
    assert told(text) == ["ValueError: no currency", "started again"]


def test_a_traceback_after_a_message_belongs_to_it() -> None:
    text = """ERROR pay: charge failed
Traceback (most recent call last):
  File "shop.py", line 3, in pay
KeyError: 'currency'"""
    assert told(text) == ["ERROR pay: charge failed: KeyError: 'currency'"]


def test_lines_of_their_own_stay_apart() -> None:
    assert told("one\ntwo\nthree") == ["one", "two", "three"]


def test_two_exceptions_in_a_row_are_two_records() -> None:
    assert len(told("IOError: a\nIOError: b")) == 2


def test_where_a_record_begins_and_how_long_it_is() -> None:
    found = list(records(["a", "  b", "c"]))
    assert [(r.first, r.lines) for r in found] == [(0, 2), (2, 1)]


def test_nothing_and_lines_that_begin_in_the_middle() -> None:
    assert list(records([])) == []
    assert told("\tat com.acme.Foo.bar(Foo.java:1)\nready") == [
        "\tat com.acme.Foo.bar(Foo.java:1)",
        "ready",
    ]
