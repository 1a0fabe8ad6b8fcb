import pytest

from codat_simulator.definitions.shape import shape
from codat_simulator.records.query import QueryError, compile_query

INVOICE = shape(
    "Invoice",
    "id status totalAmount:n issueDate:d customerRef{id companyName} lineItems[] extra*"
    " metadata{isDeleted:b}",
)
RECORD = {
    "id": "a/b=c:1 @x",
    "status": "Part Paid",
    "totalAmount": 12.5,
    "issueDate": "2024-02-29T10:00:00",
    "customerRef": {"id": "c1", "companyName": "Müller & Söhne"},
    "metadata": {"isDeleted": False},
}


@pytest.mark.parametrize(
    "query",
    [
        "id=a/b=c:1 @x",
        "status=Part Paid",
        " status = Part Paid ",
        "status!=Paid",
        "status~art",
        "customerRef.companyName~Söhne",
        "totalAmount=12.50",
        "totalAmount>12.4",
        "totalAmount>=12.5",
        "totalAmount<=1.25e1",
        "totalAmount!=12",
        "issueDate=2024-02-29T10:00:00Z",
        "issueDate>2024-02-29",
        "issueDate<2024-03-01",
        "issueDate>=2024-02-29T09:59:59.9999999Z",
        "issueDate<2024-02-29T10:00:00.0000001",
        "issueDate=2024-02-29T12:00:00+02:00",
        "issueDate=2024-02-29T05:00:00.000-05:00",
        "metadata.isDeleted=false",
        "metadata.isDeleted!=true",
        "status=x||totalAmount>1",
        "status=x&&status=y||totalAmount>1",
        "totalAmount>1||status=x&&status=y",
        "{status=x||totalAmount>1}&&id~a/b",
        "{{totalAmount>1}}",
    ],
)
def test_a_matching_record_is_selected(query):
    assert compile_query(query, INVOICE)(RECORD)


@pytest.mark.parametrize(
    "query",
    [
        "id=a/b",
        "status=part paid",
        "status!=Part Paid",
        "status~ART",
        "totalAmount>12.5",
        "totalAmount<12.5",
        "issueDate>2024-02-29T10:00:00",
        "issueDate=2024-02-29",
        "metadata.isDeleted=true",
        "totalAmount>1&&status=x",
        "{totalAmount>1||status=x}&&status=y",
        "{status=x||status=y}&&totalAmount>1||status=z",
    ],
)
def test_any_other_record_is_not(query):
    assert not compile_query(query, INVOICE)(RECORD)


@pytest.mark.parametrize(
    ("query", "selected"),
    [
        ("metadata.isDeleted!=true", True),
        ("metadata.isDeleted=false", False),
        ("metadata.isDeleted=true", False),
        ("issueDate>=2000-01-01", False),
        ("issueDate!=2000-01-01", True),
        ("totalAmount<1", False),
        ("status~a", False),
        ("customerRef.id=c1", False),
    ],
)
@pytest.mark.parametrize(
    "record",
    [{}, {"metadata": None, "issueDate": None, "totalAmount": None, "status": None, "customerRef": None}],
)
def test_what_is_missing_or_null_equals_nothing(query, selected, record):
    assert compile_query(query, INVOICE)(record) is selected


@pytest.mark.parametrize(
    "name",
    [
        "nosuch",
        "isCompleted",
        "customerRef.nosuch",
        "customerRef",
        "lineItems.id",
        "lineItems",
        "extra.x",
        "extra",
    ],
)
def test_an_unknown_property_is_refused_by_name(name):
    with pytest.raises(QueryError, match=rf"Could not resolve property {name} on Invoice"):
        compile_query(f"status=Paid&&{name}=1", INVOICE)


@pytest.mark.parametrize(
    "query",
    [
        "status",
        "status=",
        "=Paid",
        "status=Paid&&",
        "&&status=Paid",
        "status=Paid&status=Void",
        "status=Paid|status=Void",
        "{status=Paid",
        "status=Paid}",
        "{}",
        "status>Paid",
        "status>=Paid",
        "totalAmount~1",
        "totalAmount=one",
        "totalAmount=NaN",
        "issueDate~2024",
        "issueDate>yesterday",
        "issueDate>2024-02-30",
        "issueDate>2024-02-29T25:00:00",
        "issueDate>29-02-2024",
        "metadata.isDeleted=yes",
        "metadata.isDeleted>true",
        "status=Paid totalAmount>1 &&",
    ],
)
def test_what_cannot_be_parsed_is_refused(query):
    with pytest.raises(QueryError, match="Malformed query"):
        compile_query(query, INVOICE)


def test_a_value_can_hold_operators():
    assert compile_query("status=<=>~!=", INVOICE)({"status": "<=>~!="})


def test_a_query_is_shorter_than_2048_characters(codat, first):
    fits, long = "id=" + "x" * 2044, "id=" + "x" * 2045
    assert codat.get(first + "/data/invoices", query=fits).status_code == 200
    assert codat.get(first + "/data/invoices", query=long).status_code == 400


def test_a_refused_query_answers_400_with_codats_body(codat, first):
    answer = codat.get(first + "/data/invoices", query="nosuch=1")
    body = answer.json()
    assert answer.status_code == body["statusCode"] == 400
    assert body["error"] == "Error parsing query - Could not resolve property nosuch on Invoice"
    assert body["canBeRetried"] == "Unknown"
    assert len(body["correlationId"]) == 32
    assert set(body) >= {"service", "validation", "detailedErrorCode"}


def test_a_doubly_encoded_query_is_malformed(codat, first, sim):
    url = f"{sim.url}{first}/data/invoices?query=status%253DPaid"
    assert codat.session.get(url, timeout=10).status_code == 400


def test_an_unencoded_plus_is_a_space_and_no_offset(codat, first, sim):
    url = f"{sim.url}{first}/data/invoices?query=modifiedDate>=2024-01-01T00:00:00"
    assert codat.session.get(url + "%2B02:00", timeout=10).status_code == 200
    assert codat.session.get(url + "+02:00", timeout=10).status_code == 400


def test_companies_are_chosen_by_tags(codat, sim):
    uk = sim.world.add_company("Tagged", {"region": "uk", "tier": "gold plus"}, connections=())
    eu = sim.world.add_company("Other", {"region": "eu"}, connections=())
    base = {row["id"] for row in sim.world.companies} - {uk, eu}
    every = {row["id"] for row in sim.world.companies}

    def chosen(tags):
        return {row["id"] for row in codat.pages("/companies", tags=tags)}

    assert chosen("tier~gold") == {uk}
    assert chosen("region=uk&&tier!=paid") == {uk}
    assert chosen("region!=nowhere") == every
    assert chosen("{tier=gold plus||region=eu}&&tier!=paid") == {uk, eu}
    assert chosen("nosuchtag=1") == set()
    assert chosen("tier=paid") == base
    assert codat.get("/companies", tags="region>uk").status_code == 400
    assert codat.get("/companies", tags="region").status_code == 400


def test_companies_are_chosen_by_what_their_connections_are_like(codat, sim):
    found = codat.pages("/companies", query="dataConnections.status=PendingAuth")
    assert [row["id"] for row in found] == [sim.world.companies[1]["id"]]
