"""An endpoint outside `/data/` is one row of the table: made-up records in the envelope it names."""

import pytest

from codat_simulator import World
from codat_simulator.definitions.data_types import DATA_TYPES
from codat_simulator.generators import generate
from codat_simulator.http.envelopes import ContinuedPages, Pages, SingleObject, WholeList
from codat_simulator.instants import instant
from codat_simulator.routes.elsewhere import Endpoint, serve

FIELDS = (
    "id name status amount:n lineCount:i isPaid:b dueDate:d modifiedDate:d supplierRef{id name}"
    " lines[]{description amount:n} tags[] extra*"
)
STATUSES = ("Open", "Paid")
ALWAYS = "id status amount lineCount isPaid supplierRef lines tags extra modifiedDate"


def row(name, envelope=None, **more):
    """Serve one more row under a path that Codat doesn't have, and return the path of its name."""
    chosen = {"envelope": envelope} if envelope else {}
    serve(
        Endpoint(
            f"/companies/{{companyId}}/newProduct/{name}",
            FIELDS,
            values={"status": STATUSES},
            always=ALWAYS,
            **chosen,
            **more,
        )
    )
    return f"/newProduct/{name}"


def test_a_path_and_fields_are_enough_for_pages_of_records_that_can_be_queried_and_ordered(codat, first):
    serve(Endpoint("/companies/{companyId}/newProduct/things", FIELDS))
    path = first + "/newProduct/things"
    rows = codat.pages(path, pageSize=5)
    assert len({one["id"] for one in rows}) == len(rows) == 12
    body = codat.get(path, page=2, pageSize=5).json()
    assert (body["pageNumber"], body["pageSize"], body["totalResults"]) == (2, 5, 12)
    assert codat.ids(path, orderBy="-id") == sorted((one["id"] for one in rows), reverse=True)
    positive = codat.pages(path, query="amount>0")
    assert positive == [one for one in rows if (one.get("amount") or 0) > 0] != []
    unknown = codat.get(path, query="nosuch=1")
    assert unknown.status_code == 400
    assert "nosuch on things" in unknown.json()["error"]
    assert codat.get("/companies/nosuch/newProduct/things").status_code == 404


def test_every_field_has_a_value_of_its_kind(codat, first):
    path = first + row("kinds", count=60)
    rows = codat.pages(path)
    assert {one["status"] for one in rows} == set(STATUSES)
    assert {type(one["lineCount"]) for one in rows} == {int}
    assert {type(one["isPaid"]) for one in rows} == {bool}
    assert {type(one["amount"]) for one in rows} <= {int, float}
    assert all(set(one["supplierRef"]) == {"id", "name"} for one in rows)
    assert all(isinstance(one["extra"], dict) for one in rows)
    lines = [line for one in rows for line in one["lines"]]
    assert {frozenset(line) for line in lines} == {frozenset({"description", "amount"})}
    assert {type(tag) for one in rows for tag in one["tags"]} == {str}
    stamps = [one["modifiedDate"] for one in rows] + [one["dueDate"] for one in rows if one.get("dueDate")]
    assert all(instant(stamp) is not None for stamp in stamps)
    # As platforms that lack a field: missing in some, null in others, but never where the row says always.
    assert any("name" not in one for one in rows)
    assert any(one.get("name", "") is None for one in rows)


def test_records_are_the_same_each_time_and_others_for_another_company_and_parent(codat, sim):
    serve(Endpoint("/companies/{companyId}/newProduct/parents/{parentId}/children", FIELDS))
    one, other = (f"/companies/{company['id']}/newProduct/parents" for company in sim.world.companies[:2])
    paths = [f"{one}/a/children", f"{one}/b/children", f"{other}/a/children"]
    seen = [codat.ids(path) for path in paths]
    assert [codat.ids(path) for path in paths] == seen
    assert len({name for ids in seen for name in ids}) == 36


def test_a_test_changes_what_was_made_up(codat, first, sim):
    path = first + row("changing")
    before = codat.ids(path)
    kept = sim.world.elsewhere[path]
    assert [record["id"] for record in kept] == before
    kept.append({"id": "new"})
    del kept[0]
    assert codat.ids(path) == [*before[1:], "new"]


@pytest.mark.parametrize(
    ("name", "envelope", "expected"),
    [
        ("bare", WholeList(), list),
        ("under", WholeList(under="metadata"), {"metadata"}),
        ("continued", ContinuedPages(), {"results", "pagination"}),
        ("plain", Pages(counters=False, links=False), {"results"}),
        (
            "report",
            Pages(under="reportItems", counters_in="reportInfo"),
            {"reportInfo", "reportItems", "_links"},
        ),
    ],
)
def test_a_row_says_in_which_envelope_its_records_come(codat, first, name, envelope, expected):
    body = codat.get(first + row(name, envelope)).json()
    if expected is list:
        rows = body
    else:
        assert set(body) == expected
        [rows] = [value for value in body.values() if isinstance(value, list)]
    assert len({one["id"] for one in rows}) == 12
    if name == "report":
        assert body["reportInfo"] == {"pageNumber": 1, "pageSize": 100, "totalResults": 12}


def test_a_row_can_be_a_single_object(codat, first):
    assert codat.get(first + row("single", SingleObject())).json()["id"]
    assert codat.get(first + row("none", SingleObject(), count=0)).status_code == 404


def test_a_row_can_be_for_connections_of_one_kind_alone(codat, link, sim):
    serve(
        Endpoint(
            "/companies/{companyId}/connections/{connectionId}/newProduct/feeds",
            FIELDS,
            source_type="Banking",
        )
    )
    assert len(codat.pages(link("Banking") + "/newProduct/feeds")) == 12
    assert codat.get(link("Commerce") + "/newProduct/feeds").status_code == 404
    path = row("feeds", source_type="Banking")
    bare = sim.world.add_company("No bank", connections=("Accounting",))
    assert codat.get(f"/companies/{bare}{path}").status_code == 404


@pytest.mark.parametrize("key", [key for key, kind in DATA_TYPES.items() if kind.is_list])
def test_a_data_type_without_a_generator_of_its_own_gets_records_of_its_shape(monkeypatch, key):
    monkeypatch.delitem(generate.GENERATORS, key, raising=False)
    rows = World(companies=2, records=5).records(key)
    assert rows
    known = {name.partition(".")[0] for name in DATA_TYPES[key].shape.kinds} | {"metadata", "id"}
    more = set().union(*rows) - known
    assert not more, (
        f"{key} in codat_simulator/definitions/data_types.py lacks {sorted(more)}, which every record"
        " of a data type gets: end its fields with `+ _STAMPS`, and give the stream's schema both dates"
    )
    assert all(len(one) > 1 for one in rows)
