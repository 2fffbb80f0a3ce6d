"""Lines, series and objects by the thousand are shaped in threads: webhooks would wait for them."""

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from bot.domain.needs import Fact, Need
from tests.fakes.kubernetes_api import shop
from tests.fakes.loopback import Answer
from tests.unit.tools.test_prometheus_tools import OTEL, Server, point_series
from tests.unit.tools.test_read_tools import NOON, WINDOW, LokiServer, Pods, stream, tool_on
from tools.contract import ReadTool
from tools.read.kubernetes import objects
from tools.read.kubernetes.objects import KubernetesObjects
from tools.read.logs import loki, pods, windows
from tools.read.logs.loki import LokiLogs
from tools.read.logs.pods import PodLogs
from tools.read.prometheus import series
from tools.read.prometheus.series import PrometheusSeries

LINES = [stream(NOON - timedelta(seconds=60), "order failed", service_name="cart")]
SERIES = [point_series({"service_name": "cart"}, "1", "2")]


@pytest.mark.parametrize(
    ("tool", "system", "answer", "fact", "where", "shaping"),
    [
        (LokiLogs, "loki", LokiServer(LINES, []), Fact.LOGS, windows, "templates"),
        (LokiLogs, "loki", LokiServer(LINES, []), Fact.LOGS, loki, "_entry"),
        (PodLogs, "kubernetes", Pods(shop()), Fact.LOGS, pods, "templates"),
        (KubernetesObjects, "kubernetes", shop().answer, Fact.OBJECTS, objects, "_object"),
        (PrometheusSeries, "prometheus", Server(OTEL, SERIES), Fact.SERIES, series, "shape"),
    ],
)
async def test_what_is_read_is_shaped_in_a_thread(
    monkeypatch: pytest.MonkeyPatch,
    tool: type[ReadTool],
    system: str,
    answer: Answer,
    fact: Fact,
    where: Any,
    shaping: str,
) -> None:
    seen: set[int] = set()
    shape: Callable[..., Any] = getattr(where, shaping)

    def watched(*arguments: Any, **named: Any) -> Any:
        seen.add(threading.get_ident())
        return shape(*arguments, **named)

    monkeypatch.setattr(where, shaping, watched)
    with tool_on(tool, system, answer) as (reading, _):
        await reading.read(Need(fact=fact, window=WINDOW, names=(), services=()))
    assert seen
    assert threading.get_ident() not in seen
