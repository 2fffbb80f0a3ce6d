"""Headers of formats that nobody described are learnt from the lines."""

import pytest

from bot.logs.header import learn, split

FORMATS = {
    "apache": ("[Sun Dec 04 04:47:44 2005] [notice] ", "[Mon Dec 05 19:15:57 2005] [error] "),
    "syslog": ("Jun  9 06:06:20 web-1 sshd[24200]: ", "Jun 10 11:32:20 web-2 kernel: "),
    "numbers": ("081109 203615 148 INFO dfs.Node$Packet: ", "081110 10000 9 WARN dfs.Name: "),
    "request ids": (
        "api.log 2017-05-16 00:00:00.008 25746 INFO nova.api [req-38101a0b 113d3a99 - - -] ",
        "api.log 2017-05-16 00:00:01.551 25746 ERROR nova.net [-] ",
    ),
    "log4j": (
        "2015-07-29 17:41:44,747 - INFO  [Peer[myid=1]/0:0:0:0:2181:Elect@774] - ",
        "2015-07-29 19:04:12,394 - WARN  [Thread(sid:2 port:-1)::Prep@476] - ",
    ),
    "logback": ("12:00:00.123 [main] INFO  c.e.Foo - ", "12:00:01.123 [exec-1] ERROR c.e.Bar - "),
    "spring": (
        "2026-01-01T12:00:00.123Z  INFO 1 --- [           main] c.e.Foo        : ",
        "2026-01-01T12:00:00.123Z ERROR 1 --- [nio-8080-exec-1] c.e.Bar        : ",
    ),
    "klog": (
        "I0102 12:00:00.000000       1 foo.go:12] ",
        "E0102 12:00:00.000001       7 bar.go:1234] ",
    ),
    "python": (
        "2026-01-01 12:00:00,123 - app.views - ERROR - ",
        "2026-01-02 12:00:00,1 - db - INFO - ",
    ),
    "logcat": ("03-17 16:13:38.811  1702  2395 D Window: ", "03-17 16:13:39.0  2227  9 I Text: "),
    "pipes": ("20171223-22:15:29:606|Step|3000|", "20171223-22:15:30:61|Other|4000|"),
    "nginx error": ("2026/01/01 12:00:00 [error] 7#7: ", "2026/01/01 12:00:01 [warn] 8#8: "),
}  # fmt: skip
SAID = ("cache warmed", "cannot reach the stock service: refused", "shutting down", "took 5 ms")


@pytest.mark.parametrize("name", sorted(FORMATS))
def test_what_was_said_is_found_behind_the_header(name: str) -> None:
    lines = [head + said for head in FORMATS[name] for said in SAID]
    header = learn(lines)
    assert {line[split(line, header) :] for line in lines} == set(SAID)


@pytest.mark.parametrize(
    "lines",
    [
        ["cache warmed", "failed to reach cart: timeout", "GET /x took 5 ms"],
        ["critical input interrupt (unit 1): torus", "critical input interrupt (unit 2): tree"],
        ["session closed for user root", "session opened for user root by (uid=0)"],
        [""],
        [],
    ],
)
def test_lines_without_a_header_are_left_whole(lines: list[str]) -> None:
    header = learn(lines)
    assert not header
    assert [line[split(line, header) :] for line in lines] == lines


def test_a_line_that_does_not_begin_with_the_header_is_left_whole() -> None:
    header = learn([f"2026-01-01 12:00:0{n} INFO app: ready" for n in range(9)])
    assert split("\tat com.acme.Foo.bar(Foo.java:1)", header) == 0
    assert split("", header) == 0


def test_an_origin_of_two_words_is_of_the_header() -> None:
    header = learn([f"Jun 9 06:06:2{n} web sshd[12]: hello" for n in range(9)])
    line = "Jun 9 06:06:20 web syslogd 1.4.1: restart."
    assert line[split(line, header) :] == "restart."
