"""Faults of the node and the control plane: a component that stands still."""

from tests.fakes.faults.fault import Fault

NODES: tuple[Fault, ...] = ()
