"""No Kubernetes action without its case in the contract suite."""

from tests.fakes.contract.catalogue import CASES
from tools.catalog import actions


def test_every_kubernetes_action_has_its_case_in_the_contract_suite() -> None:
    found = {n for n, kind in actions().items() if ".act.kubernetes." in kind.__module__}
    assert set(CASES) == found
