"""The files of a command: which are read, and what is said of the others."""

import codecs
import json
import logging

import pytest

from source_codat.foundation.errors import ConfigError
from source_codat.run.catalogs import read_catalog
from source_codat.run.files import File
from source_codat.run.states import read_state
from source_codat.state.store import SavedStates

LOG = {"type": "LOG", "log": {"level": "INFO", "message": "hello"}}
RECORD = {"type": "RECORD", "record": {"stream": "invoices", "data": {"a": '"STATE"'}, "emitted_at": 1}}


def discovered(*names, modes=("full_refresh", "incremental")):
    """What `discover` shows of streams."""
    return [{"name": name, "json_schema": {}, "supported_sync_modes": list(modes)} for name in names]


def state(name="invoices", **blob):
    """One state as the platform keeps it."""
    return {
        "type": "STREAM",
        "stream": {"stream_descriptor": {"name": name}, "stream_state": {"states": [], **blob}},
    }


def lines(*messages):
    return "".join(json.dumps(message) + "\n" for message in messages)


@pytest.fixture
def file(tmp_path):
    """Writes a file and returns its path."""

    def write(content, name="file.json"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return str(path)

    return write


def refusal(call, *arguments):
    with pytest.raises(ConfigError) as caught:
        call(*arguments)
    return caught.value.message


BROKEN = {
    "a comma too many in an object": (
        '{\n  "api_key": "secret",\n}',
        "line 2, column 22: there is a comma before the closing '}'",
    ),
    "a comma too many in a list": (
        '{"a": [1, 2, ]}',
        "line 1, column 12: there is a comma before the closing ']'",
    ),
    "no comma": ('{"a": 1\n "b": 2}', "line 2, column 2: a comma or a closing bracket is missing"),
    "no colon": ('{"a" 1}', "line 1, column 6: a colon is missing"),
    "single quotes": (
        "{'a': 1}",
        "line 1, column 2: the name of a field is missing, or isn't in double quotes",
    ),
    "a word": ('{"a": yes}', "line 1, column 7: a value is missing, or isn't written as JSON writes it"),
    "no end": ('{"a": "b', "line 1, column 7: a text that begins here isn't closed"),
    "two objects": ('{"a": 1}\n{"b": 2}', "line 2, column 1: something follows after the end"),
    "a line break in a text": (
        '{"a": "b\nc"}',
        "line 1, column 9: a text has a line break or another control character in it",
    ),
    "a backslash": (r'{"a": "C:\path"}', "line 1, column 10: a text has a backslash that isn't doubled"),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_json_that_does_not_parse_is_told_with_line_and_column_and_nothing_of_it(file, kind):
    content, words = BROKEN[kind]
    path = file(content)
    said = refusal(File(path, "configuration").json)
    assert said == f"The configuration file '{path}' isn't valid JSON: {words}."


@pytest.mark.parametrize("content", ["", " \n", b"\xef\xbb\xbf"])
@pytest.mark.parametrize(
    ("kind", "to_do"),
    [
        ("configuration", 'write {"api_key": "<your key>"} into it (`source-codat spec` shows all fields)'),
        ("catalog", "write into it what `source-codat discover` prints"),
    ],
)
def test_an_empty_file_is_called_empty_with_what_to_do(file, content, kind, to_do):
    path = file(content)
    assert refusal(File(path, kind).json) == (
        f"The {kind} file '{path}' is empty: {to_do}. Where a command did write it, that one has failed: "
        "run it again."
    )


def test_an_empty_stdin_is_told_with_what_to_do():
    assert refusal(File("-", "catalog").parsed, "") == (
        "The catalog from stdin is empty: the command before the | has printed nothing; run it "
        "alone to see why."
    )


def test_a_name_that_leads_to_no_file_is_told_with_what_to_do(tmp_path):
    missing = str(tmp_path / "nofile.json")
    assert refusal(File(missing, "configuration").json) == (
        f"There is no configuration file '{missing}': check its name and the folder that you are in, or "
        'write {"api_key": "<your key>"} into it (`source-codat spec` shows all fields).'
    )
    assert refusal(File(str(tmp_path), "catalog").json) == (
        f"The catalog file '{tmp_path}' is a folder: give the name of a file in it."
    )


@pytest.mark.parametrize("content", ["[" * 100_000, '{"a": ' + "9" * 5000 + "}"])
def test_json_that_cannot_be_used_is_told_in_a_sentence(file, content):
    assert "isn't" in refusal(File(file(content), "configuration").json)


def test_utf_8_is_read_with_and_without_a_byte_order_mark(file):
    for content in ('{"a": "ü"}'.encode(), codecs.BOM_UTF8 + '{"a": "ü"}'.encode()):
        assert File(file(content), "configuration").json() == {"a": "ü"}


def test_numbers_and_names_that_only_python_reads_are_read(file):
    assert File(file('{"a": NaN, "b": "\\ud83d"}'), "configuration").json()["b"] == "\ud83d"


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_utf_16_is_told_what_to_be_saved_as(file, encoding):
    path = file('{"api_key": "ü"}'.encode(encoding))
    assert refusal(File(path, "configuration").json) == (
        f"The configuration file '{path}' is in UTF-16: save it as UTF-8."
    )


def test_latin_1_is_told_what_to_be_saved_as(file):
    path = file('{\n"api_key": "ü"}'.encode("latin-1"))
    assert refusal(File(path, "configuration").json) == (
        f"The configuration file '{path}' isn't in UTF-8, as its line 2 shows: save it as UTF-8."
    )


CATALOGS = {
    "what discover printed": lines(LOG, {"type": "CATALOG", "catalog": {"streams": discovered("a", "b")}}),
    "its message alone": lines({"type": "CATALOG", "catalog": {"streams": discovered("a", "b")}}),
    "its message, indented": json.dumps(
        {"type": "CATALOG", "catalog": {"streams": discovered("a", "b")}}, indent=2
    ),
    "its messages as a list": json.dumps(
        [LOG, {"type": "CATALOG", "catalog": {"streams": discovered("a", "b")}}]
    ),
    "what a terminal showed": "hello\n"
    + lines({"type": "CATALOG", "catalog": {"streams": discovered("a", "b")}})
    + "done\n",
    "the catalog alone": json.dumps({"streams": discovered("a", "b")}),
    "a configured catalog": json.dumps(
        {
            "streams": [
                {"stream": one, "sync_mode": "incremental", "destination_sync_mode": "append"}
                for one in discovered("a", "b")
            ]
        }
    ),
}


@pytest.mark.parametrize("kind", CATALOGS)
def test_a_catalog_is_found_in_whatever_form_it_comes(file, kind):
    catalog = read_catalog(file(CATALOGS[kind]))
    assert [(one.stream.name, one.sync_mode.value) for one in catalog.streams] == [
        ("a", "incremental"),
        ("b", "incremental"),
    ]


def test_a_discovered_stream_is_read_incrementally_only_where_it_can_be(file):
    streams = [*discovered("a"), *discovered("b", modes=["full_refresh"])]
    catalog = read_catalog(file(json.dumps({"streams": streams})))
    assert [one.sync_mode.value for one in catalog.streams] == ["incremental", "full_refresh"]


@pytest.mark.parametrize("kind", CATALOGS)
def test_streams_narrow_a_catalog_of_either_kind(file, kind):
    assert [one.stream.name for one in read_catalog(file(CATALOGS[kind]), ["b"]).streams] == ["b"]


def test_a_stream_that_the_catalog_lacks_is_named_with_the_nearest(file):
    path = file(json.dumps({"streams": discovered("invoices", "bills")}))
    assert refusal(read_catalog, path, ["bills", "Invoice", "weather"]) == (
        "--streams names what the catalog doesn't have: 'Invoice' (did you mean 'invoices'?), 'weather'."
    )


GIVE = "give what 'source-codat discover' printed, or a configured catalog."
NO_CATALOGS = {
    "a configuration": ('{"api_key": "secret"}', f"holds no catalog: {GIVE}"),
    "a list": ("[1]", f"holds no catalog: {GIVE}"),
    "what a read printed": (
        lines(LOG, RECORD, {"type": "STATE", "state": state()}),
        f"holds no catalog but messages of other kinds (LOG, RECORD, STATE): {GIVE}",
    ),
    "a catalog without streams": ('{"streams": []}', "selects no stream: add at least one."),
    "streams that are none": (
        '{"streams": [{"stream": {}}]}',
        f"isn't a catalog: correct it at 'streams/0/stream/name' and try again, or {GIVE}",
    ),
    "streams as a number": (
        '{"streams": 5}',
        f"isn't a catalog: correct it at 'streams' and try again, or {GIVE}",
    ),
}


@pytest.mark.parametrize("kind", NO_CATALOGS)
def test_a_file_that_holds_no_catalog_is_refused_with_what_to_give(file, kind):
    content, words = NO_CATALOGS[kind]
    path = file(content)
    assert refusal(read_catalog, path) == f"The catalog file '{path}' {words}"


def found_in(path):
    """The states of a file, as JSON."""
    states = read_state(path) or []
    saved = SavedStates(states)
    names = [one.stream.stream_descriptor.name for one in states if one.stream]
    return [{"stream_descriptor": {"name": name}, "stream_state": saved.of(name)} for name in names]


def names(states):
    return [one["stream_descriptor"]["name"] for one in states]


STATES = {
    "a list of states": json.dumps([state("a", at=2), state("b", at=2)]),
    "a list of states, indented": json.dumps([state("a", at=2), state("b", at=2)], indent=2),
    "what a read printed": lines(
        LOG,
        {"type": "STATE", "state": state("a", at=1)},
        RECORD,
        {"type": "STATE", "state": state("b", at=2)},
        {"type": "STATE", "state": state("a", at=2)},
    ),
    "what a killed read printed": lines(
        {"type": "STATE", "state": state("a", at=2)}, {"type": "STATE", "state": state("b", at=2)}
    )
    + lines({"type": "STATE", "state": state("a", at=3)})[:60],
    "what two reads printed": lines({"type": "STATE", "state": state("a", at=2)})
    + lines(LOG, {"type": "STATE", "state": state("b", at=1)}, {"type": "STATE", "state": state("b", at=2)}),
    "what a terminal showed": "hello\n"
    + lines({"type": "STATE", "state": state("a", at=2)}, {"type": "STATE", "state": state("b", at=2)}),
    "messages as a list": json.dumps(
        [{"type": "STATE", "state": state("a", at=2)}, LOG, {"type": "STATE", "state": state("b", at=2)}]
    ),
}


@pytest.mark.parametrize("bom", [b"", codecs.BOM_UTF8])
@pytest.mark.parametrize("kind", STATES)
def test_the_last_state_of_each_stream_is_found_in_whatever_form_it_comes(file, caplog, kind, bom):
    found = found_in(file(bom + STATES[kind].encode()))
    assert sorted(names(found)) == ["a", "b"]
    assert {one["stream_state"]["at"] for one in found} == {2}
    assert not caplog.records


@pytest.mark.parametrize("content", ["{}", "[]", "null"])
def test_no_state_yet_is_no_reason_to_warn(file, caplog, content):
    assert read_state(file(content)) == []
    assert not caplog.records


def test_no_state_given_is_told_apart_from_an_empty_one():
    assert read_state("") is None


BEGINNING = (
    "the read starts from the beginning. To continue, give what an earlier 'source-codat read' printed."
)
NO_STATES = {
    "an empty file": ("", f"is empty: {BEGINNING}"),
    "a configuration": ('{"api_key": "secret"}', f"holds no state of a stream: {BEGINNING}"),
    "a number": ("3", f"holds no state of a stream: {BEGINNING}"),
    "a catalog": (json.dumps({"streams": discovered("a")}), f"holds no state of a stream: {BEGINNING}"),
    "a state of everything": (
        json.dumps([{"type": "GLOBAL", "global": {"stream_states": []}}]),
        f"holds no state of a stream: {BEGINNING}",
    ),
    "what discover printed": (
        lines(LOG, {"type": "CATALOG", "catalog": {"streams": discovered("a")}}),
        f"has messages in it, but no state: {BEGINNING}",
    ),
    "a read that was killed before it left one": (
        lines(LOG, RECORD),
        f"has messages in it, but no state: {BEGINNING}",
    ),
}


@pytest.mark.parametrize("kind", NO_STATES)
def test_a_file_that_holds_no_state_is_told_in_a_warning(file, caplog, kind):
    content, words = NO_STATES[kind]
    path = file(content)
    assert read_state(path) == []
    assert [(one.levelno, one.getMessage()) for one in caplog.records] == [
        (logging.WARNING, f"The state file '{path}' {words}")
    ]


def test_the_parts_of_a_state_that_are_none_are_left_out_with_a_warning(file, caplog):
    path = file(json.dumps(["x", state("a"), {"type": "STREAM", "stream": 5}]))
    assert names(found_in(path)) == ["a"]
    assert [one.getMessage() for one in caplog.records] == [
        f"The state file '{path}' has 2 parts that are no state of a stream; they are left out."
    ]


@pytest.mark.parametrize("content", ["{", "hello", '{"type": "STA'])
def test_a_state_that_is_not_json_is_an_error(file, content):
    assert "isn't valid JSON: line 1, column " in refusal(read_state, file(content))
