"""Companies, connections, the state of their data, and refreshes."""

from __future__ import annotations

from typing import Any

from codat_simulator.definitions.data_types import DATA_TYPES
from codat_simulator.definitions.platforms import PLATFORMS
from codat_simulator.http.answers import Answer, Refusal
from codat_simulator.http.call import Call
from codat_simulator.http.envelopes import Pages
from codat_simulator.http.routing import ROUTES
from codat_simulator.records.dataset import Dataset, Record, listed
from codat_simulator.records.query import QueryError
from codat_simulator.world.syncs import PULL_OPERATION, Sync


def companies(call: Call) -> Dataset:
    """Return the companies that the call's `tags` select; refused with 400 where they can't be read."""
    try:
        return call.world.company_list(call.query.get("tags", ""))
    except QueryError as error:
        raise Refusal(400, str(error)) from None


@ROUTES.get("/companies/{companyId}")
def company(call: Call) -> Any:
    """Return one company."""
    return call.company.row()


def connections(call: Call) -> list[Record]:
    """Return a company's connections."""
    return [link.row() for link in call.company.connections]


@ROUTES.get("/companies/{companyId}/connections/{connectionId}")
def connection(call: Call) -> Any:
    """Return one connection."""
    return call.connection.row()


def integrations(call: Call) -> list[Record]:  # noqa: ARG001 - as every row of the table calls it
    """Return the platforms and what each supports."""
    return [platform.integration() for platform in PLATFORMS.values()]


@ROUTES.get("/integrations/{platformKey}")
def integration(call: Call) -> Any:
    """Return one platform."""
    if call.params["platformKey"] not in PLATFORMS:
        raise Refusal(404, f"Integration '{call.params['platformKey']}' not found.")
    return PLATFORMS[call.params["platformKey"]].integration()


@ROUTES.get("/integrations/{platformKey}/dataTypes/custom/{customDataIdentifier}")
def custom_type(call: Call) -> Any:
    """Return how a platform's custom data type is set up; one that it doesn't have is not found."""
    platform = PLATFORMS.get(call.params["platformKey"])
    identifier = call.params["customDataIdentifier"]
    if platform is None or identifier not in platform.custom:
        raise Refusal(404, f"Custom data type '{identifier}' not found.")
    return {"dataSource": f"api/{identifier}", "requiredData": {"id": "$.id"}, "keyBy": ["$.id"]}


@ROUTES.get("/companies/{companyId}/dataStatus")
def data_status(call: Call) -> Any:
    """Return the state of each data type the company's platforms support."""
    call.world.pulls.poll(call.company)
    return call.world.pulls.status(call.company)


@ROUTES.get("/companies/{companyId}/data/history")
def history(call: Call) -> Answer:
    """List pull operations, in the order they were requested unless ordered otherwise."""
    call.world.pulls.poll(call.company)
    known = {link.id for link in call.company.connections}
    rows = (sync.row() for sync in call.company.syncs if sync.connection_id in known)
    return Pages().answer(call, listed(rows, PULL_OPERATION))


@ROUTES.get("/companies/{companyId}/data/history/{datasetId}")
def one_pull(call: Call) -> Any:
    """Return one pull operation."""
    call.world.pulls.poll(call.company, call.params["datasetId"])
    return _sync(call).row()


@ROUTES.get("/companies/{companyId}/sync/{datasetId}/validation")
def validation(call: Call) -> Any:
    """Return what the validation of one pull operation found."""
    sync = _sync(call)
    if sync.running:
        raise Refusal(404, f"No data available for {sync.data_type}.")
    found = {
        "itemId": "7/a",
        "message": "Total doesn't match lines – Σ ≠ total",
        "validatorName": "LineItemTotals",
    }
    odd = sum(map(ord, sync.id)) % 3 == 0
    return {"errors": [], "warnings": [{"ruleId": "R1", **found}] if odd else None}


def _sync(call: Call) -> Sync:
    for sync in call.company.syncs:
        if sync.id == call.params["datasetId"]:
            return sync
    raise Refusal(404, f"Dataset with id '{call.params['datasetId']}' not found.")


@ROUTES.post("/companies/{companyId}/data/all")
def refresh_all(call: Call) -> Answer:
    """Queue every data type that is fetched when a company is linked; those that run already go on."""
    for link in call.company.connections:
        if link.status == "Linked":
            for key in link.platform.data_types():
                if call.world.supports(call.company, link.platform, key) and not _running(call, key, link.id):
                    call.world.pulls.queue(call.company.id, key, link.id)
    return Answer(204)


@ROUTES.post("/companies/{companyId}/data/queue/{dataType}")
def refresh_one(call: Call) -> Any:
    """Queue one data type, for one connection or for all that support it."""
    key, wanted = call.params["dataType"], call.query.get("connectionId")
    if key not in DATA_TYPES:
        raise Refusal(400, f"'{key}' is not a valid data type.")
    known = [link for link in call.company.connections if wanted in (None, link.id)]
    if wanted and not known:
        raise Refusal(404, f"Data connection with id '{wanted}' not found.")
    links = [link for link in known if call.world.supports(call.company, link.platform, key)]
    if not links:
        raise Refusal(400, f"Datatype [{key}] is not valid for the platform(s) of this company.")
    return _queue(call, key, [link.id for link in links if link.status == "Linked"])


@ROUTES.post("/companies/{companyId}/connections/{connectionId}/data/queue/custom/{customDataIdentifier}")
def refresh_custom(call: Call) -> Any:
    """Queue one custom data type of a connection."""
    key = f"custom/{call.params['customDataIdentifier']}"
    if not call.connection.platform.supports(key):
        raise Refusal(404, f"Custom data type [{key}] is not configured for {call.connection.platform.name}.")
    return _queue(call, key, [call.connection.id])


def _queue(call: Call, key: str, links: list[str]) -> Any:
    if not links:
        raise Refusal(400, "No linked data connection to fetch from.")
    if any(_running(call, key, link) for link in links):
        raise Refusal(409, f"DatasetAlreadyInProgressException: {key} is already being fetched.")
    queued = [call.world.pulls.queue(call.company.id, key, link) for link in links]
    return queued[0].row()


def _running(call: Call, key: str, connection_id: str) -> bool:
    return any(
        sync.running and sync.data_type == key and sync.connection_id == connection_id
        for sync in call.company.syncs
    )
