"""The simulator's own endpoints, for people and for other processes."""

# ruff: noqa: ARG001 - every action takes the same three arguments
from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import msgspec

from codat_simulator.definitions.datatypes import DATA_TYPES
from codat_simulator.http.call import Answer
from codat_simulator.http.request_log import LoggedRequest

if TYPE_CHECKING:
    from codat_simulator.server.edge import Edge


def control(edge: Edge, request: LoggedRequest, body: bytes) -> Answer:
    """Answer a request to `/_simulator/…`."""
    name = request.path.removeprefix("/_simulator/")
    with edge.world.lock:
        try:
            given = msgspec.json.decode(body) if body else {}
            return Answer.of(_ACTIONS[request.method, name](edge, request, given))
        except KeyError as error:
            return Answer.of({"error": f"unknown: {error}"}, 404)
        except (ValueError, TypeError, AttributeError, msgspec.DecodeError) as error:
            return Answer.of({"error": str(error)}, 400)


def _requests(edge: Edge, request: LoggedRequest, given: Any) -> Any:
    seen = edge.requests
    paths = Counter(f"{one.method} {one.pattern or one.raw_path}" for one in seen)
    return {
        "total": len(seen),
        "paths": dict(paths),
        "statuses": {str(status): number for status, number in Counter(one.status for one in seen).items()},
        "maxInFlight": max((one.in_flight for one in seen), default=0),
        "maxInFlightCompany": max((one.in_flight_company for one in seen), default=0),
    }


def _forget(edge: Edge, request: LoggedRequest, given: Any) -> Any:
    edge.requests.clear()
    return {"total": 0}


def _truth(edge: Edge, request: LoggedRequest, given: Any) -> Any:
    world = edge.world
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


def _evolve(edge: Edge, request: LoggedRequest, given: Any) -> Any:
    return edge.world.evolve(int(given.get("seed", 0)), int(given.get("changes", 10)))


def _advance(edge: Edge, request: LoggedRequest, given: Any) -> Any:
    edge.world.clock.advance(float(given.get("seconds", 0)))
    return {"now": edge.world.clock.now().isoformat()}


_ACTIONS = {
    ("GET", "requests"): _requests,
    ("DELETE", "requests"): _forget,
    ("GET", "truth"): _truth,
    ("POST", "evolve"): _evolve,
    ("POST", "advance"): _advance,
}
