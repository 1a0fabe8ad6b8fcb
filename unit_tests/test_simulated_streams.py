"""The simulator serves what every stream asks for: a new stream has a row in the simulator too."""

from codat_simulator.http.answers import Refusal
from codat_simulator.routes import ROUTES
from source_codat import SourceCodat

WHERE = """The simulator doesn't serve GET {path}, which the stream {name} reads. Write one row:
- for a data type, a list under /data/, in codat_simulator/definitions/data_types.py;
- for any other address in ENDPOINTS of codat_simulator/routes/elsewhere.py.
codat_simulator/README.md, "Serving another stream", says what a row holds."""


def is_served(path):
    try:
        ROUTES.find("GET", path.strip("/").split("/"))
    except Refusal:
        return False
    return True


def test_the_simulator_serves_every_stream():
    read = {one.name: one.retriever.path for one in SourceCodat().streams({"api_key": "none-is-needed"})}
    missing = [WHERE.format(path=path, name=name) for name, path in read.items() if not is_served(path)]
    assert not missing, "\n\n".join(missing)


def test_an_address_without_a_row_is_noticed():
    assert not is_served("/companies/{companyId}/data/newDataType")
    assert not is_served("/companies/{companyId}/reports/newReport")
