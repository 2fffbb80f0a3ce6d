"""Every action's case by the action's name."""

from collections.abc import Mapping

from tests.fakes.contract import nodes_and_storage, workloads
from tests.fakes.contract.cases import ActionCase

CASES: Mapping[str, ActionCase] = {**workloads.CASES, **nodes_and_storage.CASES}
