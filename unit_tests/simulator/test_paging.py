import pytest


@pytest.mark.parametrize("size", [1, 7, 24, 25, 26, 100])
def test_pages_of_any_size_give_every_record_once(codat, first, sim, size):
    company = first.rpartition("/")[2]
    truth = [row["id"] for row in sim.world.records("invoices", company)]
    assert codat.ids(first + "/data/invoices", pageSize=size) == truth


def test_the_envelope_counts_and_links_relatively(codat, first):
    body = codat.get(first + "/data/invoices", page=2, pageSize=10, query="totalAmount!=-5").json()
    path, kept = first + "/data/invoices", "&query=totalAmount!%3D-5"
    assert (body["pageNumber"], body["pageSize"], body["totalResults"]) == (2, 10, 25)
    assert body["_links"] == {
        "self": {"href": path},
        "current": {"href": f"{path}?page=2&pageSize=10{kept}"},
        "next": {"href": f"{path}?page=3&pageSize=10{kept}"},
        "previous": {"href": f"{path}?page=1&pageSize=10{kept}"},
    }


def test_the_last_page_and_those_past_it_link_nowhere(codat, first):
    for page, rows in ((3, 5), (4, 0)):
        body = codat.get(first + "/data/invoices", page=page, pageSize=10).json()
        assert len(body["results"]) == rows
        assert "next" not in body["_links"]


def test_a_page_is_a_hundred_records_unless_asked_otherwise(codat, first):
    assert codat.get(first + "/data/invoices").json()["pageSize"] == 100


@pytest.mark.parametrize("cap", [7, 20])
def test_a_capped_server_gives_smaller_pages_and_says_so(codat, first, sim, cap):
    sim.page_size_cap = cap
    body = codat.get(first + "/data/invoices", pageSize=1000).json()
    assert body["pageSize"] == len(body["results"]) == cap
    assert len(set(codat.ids(first + "/data/invoices", pageSize=1000))) == 25


@pytest.mark.parametrize(
    "wrong", [{"page": 0}, {"page": "x"}, {"page": -1}, {"pageSize": 0}, {"pageSize": 5001}, {"pageSize": ""}]
)
def test_pages_that_make_no_sense_are_refused(codat, first, wrong):
    assert codat.get(first + "/data/invoices", **wrong).status_code == 400


def test_links_can_be_left_out(codat, first, sim):
    sim.drop_links = True
    assert "_links" not in codat.get(first + "/data/invoices").json()


@pytest.mark.parametrize(
    "field", ["id", "issueDate", "totalAmount", "modifiedDate", "customerRef.companyName"]
)
def test_order_by_sorts_both_ways_whatever_the_page_size(codat, first, field):
    path = first + "/data/invoices"
    up, small = codat.ids(path, orderBy=field), codat.ids(path, orderBy=field, pageSize=4)
    down = codat.ids(path, orderBy=f"-{field}")
    assert up == small
    assert sorted(up) == sorted(down)
    assert (up if field == "id" else sorted(up)) == sorted(up)
    assert up != down or field == "modifiedDate"


def test_times_sort_by_instant_not_by_spelling(codat, first, sim):
    company = first.rpartition("/")[2]
    for name, stamp in (
        ("a", "2030-01-01T00:00:00.5Z"),
        ("b", "2030-01-01T00:00:00Z"),
        ("c", "2030-01-01T01:00:00"),
    ):
        sim.world.put(company, "items", {"id": f"~{name}"}, modified=stamp)
    assert codat.ids(first + "/data/items", orderBy="-modifiedDate")[:3] == ["~c", "~a", "~b"]


def test_ordering_by_an_unknown_property_is_refused(codat, first):
    answer = codat.get(first + "/data/invoices", orderBy="nosuch")
    assert answer.status_code == 400
    assert "Could not resolve property nosuch on Invoice" in answer.json()["error"]


def test_records_without_the_property_come_first(codat, first, sim):
    company = first.rpartition("/")[2]
    sim.world.put(company, "items", {"id": "~undated"}, modified="")
    assert "modifiedDate" not in codat.pages(first + "/data/items", orderBy="modifiedDate")[0]


def test_custom_data_needs_a_page_and_has_no_links(codat, sim):
    company = sim.world.add_company(connections=({"source_type": "Accounting", "platform": "dyna"},))
    connection = sim.world.company(company).connections[0].id
    path = f"/companies/{company}/connections/{connection}/data/custom/DynamicsPurchaseOrders"
    assert codat.get(path).status_code == 400
    body = codat.get(path, page=1, pageSize=10, query="ignored=1").json()
    assert set(body) == {"results", "pageNumber", "pageSize", "totalResults"}
    assert set(body["results"][0]) == {"id", "content", "modifiedDate"}
