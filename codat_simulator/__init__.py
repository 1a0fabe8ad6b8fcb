"""A Codat on loopback, to test clients of the Codat API against over real HTTP."""

from codat_simulator.definitions.data_types import DATA_TYPES
from codat_simulator.http.request_log import LoggedRequest
from codat_simulator.records.dataset import Row
from codat_simulator.server.faults import Action, Fault
from codat_simulator.server.simulator import Simulator
from codat_simulator.world.clock import Clock
from codat_simulator.world.companies import Company, Connection
from codat_simulator.world.evolution import evolve
from codat_simulator.world.syncs import Sync
from codat_simulator.world.world import World

__all__ = [
    "DATA_TYPES",
    "Action",
    "Clock",
    "Company",
    "Connection",
    "Fault",
    "LoggedRequest",
    "Row",
    "Simulator",
    "Sync",
    "World",
    "evolve",
]
