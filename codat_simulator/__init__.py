"""A Codat on loopback, to test clients of the Codat API against over real HTTP."""

from codat_simulator.clock import Clock
from codat_simulator.faults import Fault
from codat_simulator.request_log import LoggedRequest
from codat_simulator.simulator import Simulator
from codat_simulator.world import World

__all__ = ["Clock", "Fault", "LoggedRequest", "Simulator", "World"]
