"""Through the one door to the systems themselves: a drain that waits, a pull request, a page."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from bot.domain.action import ActionCall, ExecutionStatus, Level
from bot.domain.environment import Environment
from bot.domain.errors import Unavailable
from bot.domain.policy import Verdict
from bot.remediation.asking import Ports
from bot.remediation.desk import Clocks, Options
from bot.remediation.gateway import Gateway
from bot.sandbox.pagerduty.directory import BOT_EMAIL, identity
from bot.sandbox.pagerduty.directory import TOKEN as PAGER_KEY
from tests.fakes.github_writing import TOKEN, GitRepo
from tests.fakes.loopback import Reply, loopback
from tests.fakes.pagerduty import SERVICE, Pager
from tests.fakes.whole_cluster import WholeCluster, company
from tests.unit.remediation.office import ENGINE, ID, KEY, TIERS, Office
from tools.act.kubernetes.drain_node import DrainNode
from tools.catalog import actions


@dataclass
class Systems(Office):
    """An office whose systems answer over HTTP."""

    kubernetes: WholeCluster = field(default_factory=company)
    repo: GitRepo = field(default_factory=GitRepo)
    pager: Pager = field(default_factory=Pager)
    connections: dict[str, Any] = field(default_factory=dict)

    def gateway(
        self,
        after: Callable[[str], None] = lambda _: None,
        redact: Callable[[str], str] = str,
    ) -> Gateway:
        environment = Environment(
            name=self.environment,
            tier=TIERS[self.environment],
            namespaces=("shop",),
            connections=self.connections,
        )
        return Gateway(
            actions=actions(),
            environments={self.environment: environment},
            engine=ENGINE,
            ports=Ports(
                actions=self.actions,
                levels=self.levels,
                switches=self.switches,
                people=self.people,
                audit=self.audit,
            ),
            clocks=Clocks(wall=self.clock, world=self.clock),
            options=Options(calibrated=True, redact=redact),
        )

    async def offered(self, action: str, level: Level, **arguments: Any) -> Any:
        call = ActionCall(action=action, environment=self.environment, arguments=arguments)
        return await self.staged_at(level, call=call, title=action)


@pytest.fixture
def office(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Systems]:
    monkeypatch.setattr(DrainNode, "patience_s", 0.02)
    monkeypatch.setattr(DrainNode, "pause_s", 0.01)
    office = Systems(environment="dev")
    (tmp_path / "github").write_text(TOKEN)
    (tmp_path / "pagerduty").write_text(PAGER_KEY)
    with ExitStack() as stack:
        cluster = stack.enter_context(loopback(office.kubernetes.answer))
        github = stack.enter_context(loopback(office.repo))
        pager = stack.enter_context(loopback(office.pager))
        office.pager.open()
        office.connections = {
            "kubernetes": {"url": cluster.url},
            "github": {
                "url": github.url,
                "token_file": str(tmp_path / "github"),
                "repositories": {"checkout": "shop/checkout"},
            },
            "pagerduty": {
                "url": pager.url,
                "token_file": str(tmp_path / "pagerduty"),
                "from": BOT_EMAIL,
                "services": {"checkout": SERVICE},
            },
        }
        yield office


PAGE, EMAIL = identity("incident", "1"), "rosa@sandbox.example"
DRAIN = {"node": "worker-1", "delete_empty_dir_data": False, "evict_unmanaged": False}


async def test_a_drain_that_waits_is_finished_under_its_key_and_taken_back(
    office: Systems,
) -> None:
    office.kubernetes.budgets = {"web": 1}
    staged = await office.offered("drain_node", Level.L4, **DRAIN)
    assert staged.ruling.verdict is Verdict.APPROVAL  # nodes are touched by people only
    await office.approve()
    waiting = await office.execute()
    assert waiting.execution is not None
    assert waiting.execution.status is ExecutionStatus.UNCERTAIN
    assert "the same key goes on" in waiting.execution.detail
    assert office.kubernetes.evicted == ["cart-a", "web-a"]
    office.kubernetes.budgets = {}
    done = await office.execute()
    assert done.execution is not None
    assert done.execution.status is ExecutionStatus.APPLIED
    assert office.kubernetes.evicted == ["cart-a", "web-a", "web-b"]
    back = await office.gateway().undo(KEY)
    assert back.execution is not None
    assert back.execution.status is ExecutionStatus.APPLIED
    assert "unschedulable" not in office.kubernetes.get("Node", "worker-1")["spec"]


async def test_a_pod_that_came_to_the_node_meanwhile_unbinds_the_approval(office: Systems) -> None:
    await office.offered("drain_node", Level.L3, **DRAIN)
    await office.approve()
    late = office.kubernetes.get("Pod", "web-c")
    late["spec"]["nodeName"] = "worker-1"
    acted = await office.execute()
    assert acted.refused
    assert office.kubernetes.evicted == []


@pytest.fixture
def bad(office: Systems) -> str:
    office.repo.commit("first", {"app.py": "a = 1\n"})
    return office.repo.commit("worse", {"app.py": "a = 2\n"})


async def test_a_pull_request_is_opened_once_and_closed_again(office: Systems, bad: str) -> None:
    await office.offered("revert_commit", Level.L3, service="checkout", commit=bad, withdraw=False)
    await office.approve()
    office.repo.lost = ["POST /pulls"]
    done = await office.execute()
    assert done.execution is not None
    assert done.execution.status is ExecutionStatus.APPLIED
    assert "I read the object back: pull request #1 (open)" in done.execution.detail
    office.repo.commit("elsewhere", {"other.py": "x"})
    back = await office.gateway().undo(KEY)
    assert back.execution is not None
    assert back.execution.status is ExecutionStatus.APPLIED
    assert office.repo.pulls[0]["state"] == "closed"
    assert len(office.repo.pulls) == 1


async def test_what_was_merged_is_left_to_a_person(office: Systems, bad: str) -> None:
    await office.offered("revert_commit", Level.L3, service="checkout", commit=bad, withdraw=False)
    await office.approve()
    await office.execute()
    office.repo.merge(1)
    back = await office.gateway().undo(KEY)
    assert back.refused
    assert office.repo.text("app.py") == "a = 1\n"


async def test_a_page_is_acknowledged_by_a_click_only(office: Systems) -> None:
    arguments = {"incident": PAGE, "on_behalf_of": EMAIL}
    staged = await office.offered("acknowledge_incident", Level.L4, **arguments)
    assert staged.ruling.verdict is Verdict.ONE_CLICK
    assert (await office.execute()).refused
    assert office.pager.writes == []
    await office.approve("URESPONDER")
    await office.execute()
    assert office.pager.writes == [(f"PUT /incidents/{PAGE}", EMAIL)]
    assert office.audited("executed") == 1


async def test_what_gitops_owns_is_shown_and_not_run(office: Systems) -> None:
    claim = office.kubernetes.get("PersistentVolumeClaim", "data-db-0")
    claim["metadata"]["annotations"] = {"argocd.argoproj.io/tracking-id": "x"}
    staged = await office.offered(
        "expand_pvc", Level.L3, namespace="shop", name="data-db-0", size="20Gi"
    )
    assert staged.ruling.verdict is Verdict.SUGGEST
    assert "kubectl patch pvc data-db-0" in staged.proposal.dry_run.command
    assert replace(staged.proposal, id=ID) == staged.proposal


@pytest.mark.parametrize("lost", [0, 1])
async def test_an_acknowledgement_that_pagerduty_limits_is_made_once_when_it_takes_it(
    office: Systems, lost: int
) -> None:
    arguments = {"incident": PAGE, "on_behalf_of": EMAIL}
    await office.offered("acknowledge_incident", Level.L2, **arguments)
    await office.approve("URESPONDER")
    office.pager.instead = Reply(status=429, headers={"ratelimit-reset": "7"})
    for _ in range(3):
        with pytest.raises(Unavailable, match="HTTP 429") as limited:
            await office.execute()
        assert limited.value.retry_after_s == 7.0
    assert office.pager.writes == []
    office.pager.instead, office.pager.lost = None, lost
    done = [await office.execute() for _ in range(3)][-1]
    assert done.execution is not None
    assert done.execution.status is ExecutionStatus.APPLIED
    assert office.pager.writes == [(f"PUT /incidents/{PAGE}", EMAIL)]
