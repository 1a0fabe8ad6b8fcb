"""The simulator's own endpoints, for people and for other processes."""

# ruff: noqa: ARG001 - every action takes the same three arguments
from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

import msgspec

from codat_simulator.definitions.data_types import DATA_TYPES
from codat_simulator.http.answers import Answer
from codat_simulator.http.request_log import LoggedRequest
from codat_simulator.world.evolution import evolve
from codat_simulator.world.world import World


@dataclass
class Controlled:
    """What the simulator's own endpoints show and change."""

    world: World
    requests: list[LoggedRequest]
    """The requests so far."""


def control(controlled: Controlled, request: LoggedRequest, body: bytes) -> Answer:
    """Answer a request to `/_simulator/…`; 404 for an unknown action or data type, 400 for a bad body."""
    name = request.path.removeprefix("/_simulator/")
    with controlled.world.lock:
        try:
            given = msgspec.json.decode(body) if body else {}
            return Answer.of(_ACTIONS[request.method, name](controlled, request, given))
        except KeyError as error:
            return Answer.of({"error": f"unknown: {error}"}, 404)
        except (ValueError, TypeError, AttributeError, msgspec.DecodeError) as error:
            return Answer.of({"error": str(error)}, 400)


def _requests(controlled: Controlled, request: LoggedRequest, given: Any) -> Any:
    seen = controlled.requests
    paths = Counter(f"{one.method} {one.pattern or one.raw_path}" for one in seen)
    return {
        "total": len(seen),
        "paths": dict(paths),
        "statuses": {str(status): number for status, number in Counter(one.status for one in seen).items()},
        "maxInFlight": max((one.in_flight for one in seen), default=0),
        "maxInFlightCompany": max((one.in_flight_company for one in seen), default=0),
    }


def _forget(controlled: Controlled, request: LoggedRequest, given: Any) -> Any:
    controlled.requests.clear()
    return {"total": 0}


def _truth(controlled: Controlled, request: LoggedRequest, given: Any) -> Any:
    world = controlled.world
    data_type = request.query.get("dataType")
    if data_type is None:
        return world.count()
    if data_type not in DATA_TYPES and not data_type.startswith("custom/"):
        raise KeyError(data_type)
    wants = request.query.get("records", "").lower() == "true"
    found: dict[str, Any] = {}
    for company in world.known_companies():
        if company.supporting(data_type):
            found[company.id] = (
                world.records(data_type, company.id) if wants else world.size_of(data_type, company.id)
            )
    return found


def _evolve(controlled: Controlled, request: LoggedRequest, given: Any) -> Any:
    return evolve(controlled.world, int(given.get("seed", 0)), int(given.get("changes", 10)))


def _advance(controlled: Controlled, request: LoggedRequest, given: Any) -> Any:
    controlled.world.clock.advance(float(given.get("seconds", 0)))
    return {"now": controlled.world.clock.now().isoformat()}


_ACTIONS = {
    ("GET", "requests"): _requests,
    ("DELETE", "requests"): _forget,
    ("GET", "truth"): _truth,
    ("POST", "evolve"): _evolve,
    ("POST", "advance"): _advance,
}
