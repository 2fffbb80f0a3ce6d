"""What varies in a line is masked; what tells lines apart is not."""

import pytest

from bot.logs.masking import clean, mask, skeleton


@pytest.mark.parametrize(
    ("line", "masked"),
    [
        ("order 4711 took 12.5ms", "order <*> took <*>ms"),
        ("user 3f2b8c1a-1111-2222-3333-444455556666 gone", "user <*> gone"),
        ("2026-01-01T12:00:00.123Z GET /cart", "<*> GET /cart"),
        ("at Fri Jun 17 07:07:00 2005 by cron", "at <*> by cron"),
        ("connect to 10.0.0.7:5432 refused", "connect to <*> refused"),
        ("commit deadbeef42 at 0xff12", "commit <*> at <*>"),
        ("block blk_-1608999687919862906 lost", "block blk_<*> lost"),
        ("mail to ann@example.org bounced", "mail to <*> bounced"),
        ("http2 stream reset", "http2 stream reset"),
        ("request 77 failed: status=503", "request <*> failed: status=503"),
        ("request 77 done: status=200", "request <*> done: status=<*>"),
        ('"GET / HTTP/1.1" 502 12', '"GET / HTTP/<*>" 502 <*>'),
        ('"GET / HTTP/1.1" 204 0', '"GET / HTTP/<*>" <*> <*>'),
        ("plain words stay", "plain words stay"),
        ("Größe 12 überschritten — 次 3", "Größe <*> überschritten — 次 <*>"),
    ],
)
def test_what_varies_is_masked(line: str, masked: str) -> None:
    assert mask(line) == masked


@pytest.mark.parametrize(
    ("line", "same"),
    [
        ("opened /var/lib/x/a.db", "opened <*>"),
        ("uid=<*> user=root tty=pts", "uid=<*> user=<*> tty=<*>"),
        ("login of user root", "login of user <*>"),
        ("went from READY to LOST", "went from <*> to <*>"),
        ("cache(true)", "cache(<*>)"),
        ("sent <*> bytes in <*> ms", "sent <*> in <*>"),
        ("call status=503", "call status=503"),
        ("reached db.shop.svc:<*>", "reached <*>"),
        ("(root) CMD (run-parts /etc/cron.hourly)", "(root) CMD (<*>)"),
    ],
)
def test_values_are_one_in_comparison(line: str, same: str) -> None:
    assert skeleton(line) == same


def test_colours_and_control_characters_are_no_part_of_a_line() -> None:
    assert clean("\x1b[31mERROR\x1b[0m disk\x00 full\x7f ") == "ERROR disk full"
