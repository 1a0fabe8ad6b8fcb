"""The benchmark programs start, and say what they found in the shape that others read."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tools.benchmarks import ROOT, connector, programs, scale, table
from tools.benchmarks.__main__ import RUNS, main
from tools.benchmarks.client_process import ClientFailedError, Cost, Output, run
from tools.benchmarks.comparison import PerRecord
from tools.benchmarks.server import Content, Server


@pytest.fixture(scope="module")
def server():
    with Server(Content(2, {"invoices": 3}, size=700)) as found:
        yield found


@pytest.mark.parametrize(
    "program",
    [programs.SOURCE_CODAT, programs.BARE_LOOP, programs.STOCK],
    ids=lambda program: program.name,
)
def test_every_contestant_that_needs_no_download_reads_every_record(program, server, tmp_path):
    cost = run(program.command(server, tmp_path / "files"))
    assert cost.output.records == 6
    assert cost.cpu > 0
    assert cost.peak > 10


def test_the_most_memory_is_the_clients_own_and_not_that_of_who_starts_it():
    mine = bytearray(200_000_000)
    cost = run([sys.executable, "-c", "import time; held = bytearray(60_000_000); time.sleep(0.2)"])
    assert 60 < cost.peak < len(mine) / 1e6


def test_a_client_that_fails_is_an_error_with_its_last_words():
    with pytest.raises(ClientFailedError, match="no such luck"):
        run([sys.executable, "-c", "raise SystemExit('no such luck')"])


def test_states_are_counted_and_handed_back(server, tmp_path):
    command = connector.command(server, tmp_path, ["invoices"])
    cost = run(command, keep=("STATE",))
    states = connector.last_states(cost)
    assert [one["stream"]["stream_descriptor"]["name"] for one in states] == ["invoices"]
    assert 0 < cost.output.state_bytes < cost.output.written


def test_what_is_read_again_are_the_suggested_streams_each_in_its_best_mode(server, tmp_path):
    modes = connector.suggested_streams(server, tmp_path)
    assert modes["invoices"] == modes["balance_sheet_lines"] == connector.INCREMENTAL
    assert modes["companies"] == modes["data_status"] == connector.FULL_REFRESH
    chosen = {one["stream"]["name"]: one["sync_mode"] for one in connector.catalog(modes)["streams"]}
    assert chosen == modes


def test_start_up_is_taken_off():
    idle = [Cost(1.0, 2.0, 0, Output())]
    full = [Cost(cpu, wall, 0, Output()) for cpu, wall in ((2.0, 4.0), (3.0, 5.0), (2.5, 4.5))]
    found = PerRecord.between(idle, full, 1_000_000)
    assert (found.cpu, found.low, found.high, found.wall) == (1.5, 1.0, 2.0, 2.5)


def test_the_table_gives_each_bar_its_share_and_verdict():
    figures = [
        table.at_most("memory", 150.0, "MB", 300, "under 300 MB"),
        table.at_least("against stock", 8.0, "times", 10, "at least 10"),
        table.Figure("no bar", 1.5, "µs"),
        table.Figure("absent", None, "", note="not measured: no network"),
    ]
    assert [one.met for one in figures] == [True, False, None, None]
    lines = table.markdown(figures).splitlines()
    assert len({len(line) for line in lines}) == 1
    assert "50 %" in lines[2]
    assert "NO" in lines[3]
    assert "no network" in lines[5]


def test_the_figures_of_an_earlier_run_are_read_back():
    figures = [table.at_most("one", 3.0, "MB", 4, "at most 4"), table.Figure("two", None, "", note="failed")]
    assert table.from_json(table.as_json(figures, {}, judged=True)) == figures


def test_a_quick_run_writes_json_and_judges_nothing(tmp_path, capsys):
    path = tmp_path / "figures.json"
    assert main(["--quick", "--only", "memory", "--json", str(path)]) == 0
    content = json.loads(path.read_text())
    assert {"about", "figures"} == set(content)
    assert [one["met"] for one in content["figures"]] == [None, None]
    assert content["figures"][0]["value"] > 10
    assert "resident memory" in capsys.readouterr().out


def test_the_readme_names_every_run_and_has_the_place_for_the_table():
    text = (ROOT / "tools" / "benchmarks" / "README.md").read_text()
    assert "<!-- table: python -m tools.benchmarks --write -->" in text
    assert "<!-- end of table -->" in text
    assert str(Path.home()) not in text


def test_the_command_line_lists_the_runs():
    said = subprocess.run(
        [sys.executable, "-m", "tools.benchmarks", "--help"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    assert all(name in said.stdout for name in RUNS)


@pytest.mark.slow
def test_the_scale_run_reads_each_company_once_in_parts_within_one_budget(tmp_path, mocker):
    for name, value in {"PARTS": 2, "QUICK_COMPANIES": 6, "PER_MINUTE": 60, "MINUTE": 0.5}.items():
        mocker.patch.object(scale, name, value)
    values = {one.name: one.value or 0.0 for one in scale.measure(tmp_path, 1, True, lambda _: None)}
    assert 10 < values["the same: requests in any minute at the address"] <= 60
    assert values["the same: companies that were read exactly once"] == 6
    assert 1 <= values["the same, no Codat sync since: requests a company"] < 2


def test_the_scale_run_refuses_companies_that_were_read_twice_or_not_at_all():
    def part(*companies):
        written = scale.PartOutput(companies=list(companies))
        return scale.PartCost("1/2", Cost(1.0, 1.0, 1.0, Output(records=len(companies))), written)

    content = Content(3)
    scale.refuse_wrong(content, [part("a", "b"), part("c")], 3)
    for parts in ([part("a", "b"), part("b", "c")], [part("a"), part("b")]):
        with pytest.raises(ClientFailedError):
            scale.refuse_wrong(content, parts, 3)
    with pytest.raises(ClientFailedError, match="3 of 4 records"):
        scale.refuse_wrong(content, [part("a", "b"), part("c")], 4)
