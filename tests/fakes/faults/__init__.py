"""Faults that can be put into a small shop on a real cluster, each with its true cause."""

from tests.fakes.faults.admission import ADMISSION
from tests.fakes.faults.fault import Fault, Place
from tests.fakes.faults.load import LOAD
from tests.fakes.faults.nodes import NODES
from tests.fakes.faults.routing import ROUTING
from tests.fakes.faults.runtime import RUNTIME
from tests.fakes.faults.scheduling import SCHEDULING
from tests.fakes.faults.startup import STARTUP
from tests.fakes.faults.storage import STORAGE

__all__ = ["FAULTS", "Fault", "Place", "fault_named"]

FAULTS: tuple[Fault, ...] = (
    *STARTUP, *RUNTIME, *SCHEDULING, *ADMISSION, *ROUTING, *STORAGE, *NODES, *LOAD,
)  # fmt: skip


def fault_named(name: str) -> Fault:
    """Return the fault of that name."""
    return next(fault for fault in FAULTS if fault.name == name)
