"""Airbyte's standard tests, in process, and what its retired acceptance tests asserted besides.

Elsewhere: the shape of the spec (unit_tests/test_spec.py), the image's labels (unit_tests/test_packaging.py,
test_image.py), the same tests of the CDK on the image (test_image_standards.py).
"""

import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Any

import pytest
from airbyte_cdk.models import (
    AirbyteStateMessageSerializer,
    AirbyteStateType,
    ConfiguredAirbyteCatalog,
    ConfiguredAirbyteStream,
    DestinationSyncMode,
    SyncMode,
)
from airbyte_cdk.test import entrypoint_wrapper
from airbyte_cdk.test.models import ConnectorTestScenario
from airbyte_cdk.test.standard_tests import SourceTestSuiteBase

from codat_simulator import Simulator
from integration_tests.support.acceptance import CUSTOM, acceptance
from integration_tests.support.connector import config, read
from source_codat import SourceCodat
from unit_tests.support.catalogue import CATALOGUE, cursor_of

pytest_plugins = ["airbyte_cdk.test.standard_tests.pytest_hooks"]
pytestmark = [
    pytest.mark.xdist_group("image"),  # the files that acceptance-test-config.yml names have one place
    pytest.mark.filterwarnings("error::UserWarning"),
    pytest.mark.filterwarnings("error::airbyte_cdk.test.standard_tests.DiscoveredCatalogWarning"),
]

STREAMS = [*CATALOGUE, f"custom_{CUSTOM}"]
INCREMENTAL = [name for name in CATALOGUE if cursor_of(name)]
FUTURE = "2099-01-01T00:00:00Z"
MADE_ANEW = {"generated"}  # when Codat made the report: another instant in every answer


@pytest.fixture(scope="module", autouse=True)
def sim() -> Iterator[Simulator]:
    with pytest.MonkeyPatch.context() as patched, acceptance() as simulator:
        # These reads come in quick succession: the pace that Codat wants isn't what they are about.
        patched.setattr("source_codat.http.rate_limit.WINDOW_SECONDS", 0.0)
        yield simulator


class TestSuiteSourceCodat(SourceTestSuiteBase):
    """The CDK's standard tests."""

    @classmethod
    def create_connector(cls, scenario: ConnectorTestScenario | None) -> SourceCodat:
        given = scenario or ConnectorTestScenario()
        root = cls.get_connector_root_dir()
        return SourceCodat(config=given.get_config_dict(empty_if_missing=True, connector_root=root))


for _name in dir(SourceTestSuiteBase):
    if _name.startswith("test_docker_image"):  # they run in test_image_standards.py
        setattr(TestSuiteSourceCodat, _name, None)


class Sync:
    """What one read through the CDK's own entry point brought, stream by stream."""

    def __init__(self, sim: Simulator, mode: SyncMode, state: list[Any] | None = None) -> None:
        settings = config(sim, custom_data_types=[CUSTOM])
        source = SourceCodat(config=settings)
        self.streams = {one.name: one for one in source.discover(None, settings).streams}  # type: ignore[arg-type]  # unused there
        configured = [
            ConfiguredAirbyteStream(
                stream=one,
                sync_mode=mode if mode in one.supported_sync_modes else SyncMode.full_refresh,
                destination_sync_mode=DestinationSyncMode.append,
            )
            for one in self.streams.values()
        ]
        output: Any = entrypoint_wrapper.read(
            source, settings, ConfiguredAirbyteCatalog(streams=configured), state=state
        )
        assert [one.trace.error.message for one in output.errors] == []
        self.records: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for message in output.records:
            self.records[message.record.stream].append(message.record.data)
        self.states: list[Any] = [message.state for message in output.state_messages]
        self.output = output

    def states_of(self, stream: str) -> list[Any]:
        return [one for one in self.states if one.stream.stream_descriptor.name == stream]

    @property
    def last_states(self) -> list[Any]:
        last = {one.stream.stream_descriptor.name: one for one in self.states}
        dumped = [AirbyteStateMessageSerializer.dump(one) for one in last.values()]
        return [AirbyteStateMessageSerializer.load(one) for one in dumped]

    def distinct(self, stream: str) -> set[str]:
        records = [{name: one[name] for name in one.keys() - MADE_ANEW} for one in self.records[stream]]
        return {json.dumps(one, sort_keys=True) for one in records}

    def states_with_rows(self, stream: str) -> list[tuple[dict[str, Any], list[dict[str, Any]]]]:
        """Each state that has records, with the records that came after it."""
        rows = iter(self.records[stream])
        found = []
        for one in self.states_of(stream):
            came = [next(rows) for _ in range(int(one.sourceStats.recordCount))]
            if came:
                found.append((json.loads(json.dumps(AirbyteStateMessageSerializer.dump(one))), came))
        return [
            (state, [row for _, came in found[place + 1 :] for row in came])
            for place, (state, _) in enumerate(found)
        ]

    def keys(self, stream: str) -> set[tuple[Any, ...]]:
        names = [path[0] for path in self.streams[stream].source_defined_primary_key or []]
        return {tuple(one.get(name) for name in names) for one in self.records[stream]}


@pytest.fixture(scope="module")
def full(sim: Simulator) -> Sync:
    return Sync(sim, SyncMode.full_refresh)


@pytest.fixture(scope="module")
def full_again(sim: Simulator, full: Sync) -> Sync:
    assert full.records
    return Sync(sim, SyncMode.full_refresh)


@pytest.fixture(scope="module")
def first(sim: Simulator) -> Sync:
    return Sync(sim, SyncMode.incremental)


@pytest.fixture(scope="module")
def second(sim: Simulator, first: Sync) -> Sync:
    return Sync(sim, SyncMode.incremental, first.last_states)


def test_the_second_read_differs_from_the_first(first, second):
    assert second.states
    assert sum(map(len, second.records.values())) < sum(map(len, first.records.values()))


def test_every_stream_has_a_primary_key_and_a_mode(full):
    assert set(full.streams) == {*STREAMS, "read_outcomes"}
    for stream in full.streams.values():
        assert stream.source_defined_primary_key, stream.name
        assert SyncMode.full_refresh in stream.supported_sync_modes, stream.name


@pytest.mark.parametrize("stream", STREAMS)
def test_a_stream_says_that_it_started_runs_and_is_complete(full, stream):
    statuses = [str(one).rpartition(".")[2] for one in full.output.get_stream_statuses(stream)]
    assert statuses[0] == "STARTED"
    assert statuses[-1] == "COMPLETE"
    assert set(statuses[1:-1]) == {"RUNNING"}


@pytest.mark.parametrize("stream", STREAMS)
def test_a_stream_leaves_a_state_whose_counts_add_up_to_its_records(full, stream):
    states = full.states_of(stream)
    assert states
    assert {one.type for one in states} == {AirbyteStateType.STREAM}
    assert all(one.sourceStats is not None for one in states)
    assert sum(one.sourceStats.recordCount for one in states) == len(full.records[stream])


@pytest.mark.parametrize("stream", STREAMS)
def test_no_part_of_a_key_is_missing_or_anything_but_a_plain_value(full, stream):
    assert full.records[stream]
    for key in full.keys(stream):
        assert all(isinstance(part, str | int | float) for part in key), key


@pytest.mark.parametrize("stream", STREAMS)
def test_no_record_has_a_column_that_the_schema_does_not_declare(full, stream):
    declared = set(full.streams[stream].json_schema["properties"])
    undeclared = {name for one in full.records[stream] for name in one} - declared
    assert not undeclared, (
        f"source_codat/schemas/{stream}.json lacks {sorted(undeclared)}, which the simulator sends: add them"
        " if Codat documents them, or else take them out of its row in codat_simulator. (Every"
        " record of a data type there has modifiedDate and sourceModifiedDate: declare both.)"
    )


@pytest.mark.parametrize("stream", STREAMS)
def test_two_full_refreshes_in_a_row_bring_the_same_records(full, full_again, stream):
    assert full_again.keys(stream) == full.keys(stream)
    assert full_again.distinct(stream) == full.distinct(stream)


@pytest.mark.parametrize("stream", INCREMENTAL)
def test_a_first_incremental_read_brings_what_a_full_refresh_does(full, first, stream):
    assert first.keys(stream) == full.keys(stream)
    assert first.states_of(stream)


@pytest.mark.parametrize("stream", INCREMENTAL)
def test_a_second_incremental_read_brings_ties_at_most_and_leaves_a_state(first, second, stream):
    cursor = cursor_of(stream)
    latest: dict[str, str] = {}
    for one in first.records[stream]:
        latest[one["companyId"]] = max(latest.get(one["companyId"], ""), one.get(cursor) or "")
    older = {one.get(cursor) for one in first.records[stream]} - set(latest.values())
    assert second.keys(stream) <= first.keys(stream)
    assert len(second.records[stream]) < len(first.records[stream]) or not older
    assert second.states_of(stream)


@pytest.mark.parametrize("stream", INCREMENTAL)
def test_a_second_incremental_read_moves_no_place_back(first, second, stream):
    def places(sync: Sync) -> dict[str, str]:
        blob = sync.states_of(stream)[-1].stream.stream_state.__dict__
        return {
            json.dumps(one["partition"], sort_keys=True): json.dumps(one["cursor"], sort_keys=True)
            for one in blob["states"]
        }

    assert Counter(places(second)) == Counter(places(first))


@pytest.mark.parametrize("stream", INCREMENTAL)
def test_from_every_state_of_a_read_another_brings_all_that_came_after_it(sim, first, stream):
    names = [path[0] for path in first.streams[stream].source_defined_primary_key]
    states = first.states_with_rows(stream)
    assert states
    for state, after in states:
        said = read(sim, stream, state=[state], custom_data_types=[CUSTOM])
        assert said.code == 0
        brought = {tuple(one.get(name) for name in names) for one in said.records(stream)}
        assert brought >= {tuple(one.get(name) for name in names) for one in after}
        assert brought <= first.keys(stream)


def test_many_reads_leave_states_with_more_to_come(first):
    """Else the test above would look at last states only."""
    assert sum(any(after for _, after in first.states_with_rows(name)) for name in INCREMENTAL) >= 15


@pytest.mark.parametrize("stream", INCREMENTAL)
def test_a_state_from_the_future_is_read_from_the_start_and_set_right(sim, first, stream):
    """Airbyte's retired tests want no records of such a state; that would lose all until the date comes."""
    [given] = [one for one in first.last_states if one.stream.stream_descriptor.name == stream]
    state = json.loads(json.dumps(AirbyteStateMessageSerializer.dump(given)))
    places = state["stream"]["stream_state"]["states"]
    assert places
    for one in places:
        one["cursor"] = {cursor_of(stream): FUTURE}
    said = read(sim, stream, state=[state], custom_data_types=[CUSTOM])
    names = [path[0] for path in first.streams[stream].source_defined_primary_key]
    assert {tuple(one.get(name) for name in names) for one in said.records(stream)} == first.keys(stream)
    assert said.code == 0
    read_from = {one["companyId"] for one in said.records(stream)}
    entries = said.stream_state(stream)["states"]
    assert FUTURE not in json.dumps([one for one in entries if one["partition"]["company_id"] in read_from])
