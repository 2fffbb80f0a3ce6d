"""Objects that no API server would serve are told as malformed, by every Kubernetes action."""

import copy
from pathlib import Path
from typing import Any

import pytest

from bot.domain.errors import Malformed, SreBotError
from tests.fakes.contract.cases import FAKE
from tests.fakes.contract.catalogue import CASES
from tests.fakes.contract.clusters import fake_cluster
from tools.catalog import actions
from tools.clients.shapes import OUTLINE, shaped

ODD: tuple[Any, ...] = ("x", 7, [], ["x"], [None], {"a": ["b"]}, {"a": {}}, True, -1, 1e308)


def spoiled(body: dict[str, Any], path: tuple[str, ...], odd: Any) -> dict[str, Any]:
    result = copy.deepcopy(body)
    here = result
    for step in path[:-1]:
        if not isinstance(here.get(step), dict):
            here[step] = {}
        here = here[step]
    here[path[-1]] = odd
    return result


@pytest.mark.parametrize("name", sorted(n for n, c in CASES.items() if FAKE not in c.not_on))
async def test_an_odd_object_is_malformed_or_harmless(name: str, tmp_path: Path) -> None:
    with fake_cluster(tmp_path) as cluster:
        raw = CASES[name].ready(cluster)
        action = actions()[name].for_environment(cluster.environment)
        assert action is not None
        args = action.parse(raw)
        target = await action.target(args)
        stored = cluster.cluster.objects
        key = next(k for k, o in stored.items()
                   if (o["kind"], o["metadata"]["name"]) == (target.kind, target.name))  # fmt: skip
        whole = stored[key]
        paths = [path for path, _ in OUTLINE if path not in (("metadata",), ("metadata", "name"))]
        said: list[str] = []
        for number, path in enumerate(paths):
            stored[key] = spoiled(whole, path, ODD[number % len(ODD)])
            try:
                await action.target(args)
                await action.dry_run(args)
            except SreBotError as error:
                said.append(str(error))
        assert cluster.cluster.writes == 0
        assert any("is not readable" in words for words in said)
        assert max(map(len, said)) < 1000


@pytest.mark.parametrize("odd", ODD)
def test_the_name_of_what_is_odd_is_told(odd: Any) -> None:
    if isinstance(odd, dict):
        return
    with pytest.raises(Malformed, match=r"spec of a pod is not readable"):
        shaped({"spec": odd}, "Pod")


def test_what_is_missing_is_no_fault() -> None:
    assert shaped({}, "Pod") == {}
    assert shaped({"metadata": None, "spec": {"volumes": None}}, "Pod")
