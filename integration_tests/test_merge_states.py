"""Another number of parts: their states are merged, and nothing is lost, nor read again that wasn't due."""

import json
import random
import signal
from contextlib import suppress

import pytest

from codat_simulator import Simulator
from integration_tests.support.connector import catalog, config, parse, read, touch
from integration_tests.support.sentences import assert_sentence, failure
from source_codat.config.parts import part_of

STREAMS = ("invoices", "customers", "banking_transactions")
DATA_TYPES = ("invoices", "customers", "banking-transactions")


def version(stream, row):
    """What tells the versions of a row apart; several connections may have banking rows with one id."""
    return "" if stream == "banking_transactions" else row["modifiedDate"]


class Account:
    """An account that is read in parts into one warehouse, which deduplicates by key."""

    def __init__(self, sim, script, folder):
        self.sim, self.script, self.folder = sim, script, folder
        self.warehouse = {}
        self.kills = 0

    def truth(self):
        return {
            (stream, company["id"], row["id"]): version(stream, row)
            for stream, data_type in zip(STREAMS, DATA_TYPES, strict=True)
            for company in self.sim.world.companies
            for row in self.sim.world.records(data_type, company_id=company["id"])
        }

    def read(self, part, state, kill_after=None):
        """Read a part into the warehouse; returns where it continues, and whether it ended well.

        kill_after: the number of requests after which kill -9 ends it.
        """
        if kill_after is None:
            said = read(self.sim, *STREAMS, part=part, page_size=4, state=state)
        else:
            said = self.killed(part, state, kill_after)
        assert said.unparsed == []
        for message in said.of("RECORD"):
            row = message["data"]
            key = (message["stream"], row["companyId"], row["id"])
            self.warehouse[key] = max(self.warehouse.get(key, ""), version(message["stream"], row))
        known = {one["stream"]["stream_descriptor"]["name"]: one for one in state or []}
        known |= {one["stream"]["stream_descriptor"]["name"]: one for one in said.state}
        return list(known.values()), said.code == 0

    def killed(self, part, state, kill_after):
        """What a read printed before kill -9 ended it."""
        options = {"config": config(self.sim, part=part, page_size=4), "catalog": catalog(*STREAMS)}
        before = len(self.sim.requests)
        process = self.script.start("read", self.folder, state=state, **options)
        process.wait_until(lambda: len(self.sim.requests) >= before + kill_after)
        with suppress(ProcessLookupError):  # it may have ended by itself
            process.kill()
        out, err = process.communicate()
        self.kills += process.poll() == -signal.SIGKILL
        return parse(out[: out.rfind(b"\n") + 1], err, process.poll())

    def read_all(self, parts, state, kills=()):
        """Read all parts, each to its end; those named in `kills` are killed first. Returns their states."""
        states = []
        for number in range(1, parts + 1):
            part = f"{number}/{parts}"
            own = state
            if number in kills:
                own, _ = self.read(part, own, kill_after=kills[number])
            own, is_whole = self.read(part, own)
            assert is_whole
            states.append(own)
        return states

    def merge(self, states, *extra):
        names = []
        for number, state in enumerate(states):
            path = self.folder / f"part_{number}.json"
            path.write_text(json.dumps(state))
            names.append(str(path))
        said = self.script.run("merge-states", self.folder, *names, *extra)
        assert (said.code, said.unparsed, said.logs) == (0, [], [])
        return said.state

    def data_asked_for(self):
        """The companies that were asked for rows since the log was cleared."""
        asked = [one for one in self.sim.requests if "/data/" in one.path]
        return {one.company_id for one in asked if not one.path.endswith("/data/history")}


def entries_of(state):
    return [entry for one in state for entry in one["stream"]["stream_state"]["states"]]


@pytest.fixture
def account(script, tmp_path):
    with Simulator(companies=16, seed=3, records=6) as sim:
        yield Account(sim, script, tmp_path)


def test_from_eight_parts_to_twelve_with_kills_nothing_is_lost_nor_read_twice(account):
    sim, rng = account.sim, random.Random(5)
    companies = [one["id"] for one in sim.world.companies]
    killed = {number: rng.randint(1, 12) for number in (2, 5)}
    of_eight = account.read_all(8, None, killed)
    assert account.warehouse == account.truth()

    sim.world.clock.advance(60)
    changed = set(rng.sample([one for one in companies if sim.world.records("invoices", one)], 4))
    for company in changed:
        touch(sim, company, sim.world.records("invoices", company)[0]["id"])
    union = account.merge(of_eight)
    sim.clear_log()
    killed = {number: rng.randint(1, 3) for number in (1, 4, 9)}
    of_twelve = account.read_all(12, union, killed)
    assert account.kills > 1
    assert account.warehouse == account.truth()
    assert account.data_asked_for() == changed

    # Each of the twelve carried along what the others were when they began; some of it is stale by now.
    union = account.merge(of_twelve)
    sim.clear_log()
    account.read_all(3, union)
    assert account.data_asked_for() == set()
    assert {one.company_id for one in sim.requests if one.company_id} == set(companies)


def test_a_part_can_be_given_its_own_companies_places_alone(account):
    whole = account.read_all(1, None)
    found = []
    account.sim.clear_log()
    for number in (1, 2, 3):
        part = f"{number}/3"
        own = account.merge(whole, "--part", part)
        entries = entries_of(own)
        assert all(part_of(part).has(one["partition"]["company_id"]) for one in entries)
        found += entries
        account.read(part, own)
    assert sorted(map(json.dumps, found)) == sorted(map(json.dumps, entries_of(whole[0])))
    assert account.data_asked_for() == set()


def test_what_reads_printed_is_merged_and_read_on_from(account, script, tmp_path):
    options = {"config": config(account.sim), "catalog": catalog("invoices")}
    names = []
    for number in (1, 2):
        done = script.run(
            "read", tmp_path, config=config(account.sim, part=f"{number}/2"), catalog=catalog("invoices")
        )
        names.append(tmp_path / f"read_{number}.jsonl")
        names[-1].write_text("\n".join(json.dumps(message) for message in done.messages))
    merged = script.run("merge-states", tmp_path, *map(str, names))
    assert [message["type"] for message in merged.messages] == ["STATE"]
    (tmp_path / "merged.json").write_text("\n".join(json.dumps(message) for message in merged.messages))
    account.sim.clear_log()
    again = script.run("read", tmp_path, "--state", str(tmp_path / "merged.json"), **options)
    assert again.code == 0
    assert account.data_asked_for() == set()


def test_a_file_without_a_state_is_told_and_the_others_are_merged(account, script, tmp_path):
    [state] = account.read_all(1, None)
    (tmp_path / "good.json").write_text(json.dumps(state))
    (tmp_path / "empty.json").write_text("")
    said = script.run("merge-states", tmp_path, str(tmp_path / "good.json"), str(tmp_path / "empty.json"))
    assert said.code == 0
    [told] = said.logs
    assert told == (
        f"The state file '{tmp_path / 'empty.json'}' is empty: it adds nothing to the merged state, and "
        "companies that only it knew start from the beginning."
    )
    assert len(said.state) == len(STREAMS)


def test_files_of_which_none_has_a_state_are_a_mistake(script, tmp_path):
    (tmp_path / "empty.json").write_text("")
    (tmp_path / "none.json").write_text("[]")
    said = script.run("merge-states", tmp_path, str(tmp_path / "empty.json"), str(tmp_path / "none.json"))
    assert_sentence(failure(said), "None of the files has a state")


def test_a_file_that_is_missing_and_a_part_that_is_none_are_told_in_a_sentence(script, tmp_path):
    said = script.run("merge-states", tmp_path, str(tmp_path / "nothing.json"))
    assert_sentence(failure(said), "There is no state file")
    (tmp_path / "state.json").write_text("[]")
    said = script.run("merge-states", tmp_path, str(tmp_path / "state.json"), "--part", "9/8")
    assert_sentence(failure(said), "'part' is '9/8', which is no part")


def test_one_of_the_files_may_come_from_stdin_and_only_one(script, tmp_path):
    said = script.run("merge-states", tmp_path, "-", "-")
    assert said.code == 2
