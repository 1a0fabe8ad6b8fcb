"""What the demo prints, and where it works: without running it."""

import subprocess
import sys
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import pytest

pytest.importorskip("duckdb", reason="DuckDB isn't installed")

import duckdb

from tools.demo import query, workspace
from tools.demo.report import StreamRows, what_is_wrong
from tools.demo.tables import side_by_side, table

ROOT = Path(__file__).resolve().parent.parent
MIDNIGHT = datetime(2026, 1, 31)  # noqa: DTZ001 - as DuckDB gives a TIMESTAMP
NOON = datetime(2026, 1, 31, 12, 0, 0, 5)  # noqa: DTZ001


def cells(head: list[str], *rows: list[object]) -> list[list[str]]:
    return [line.split() for line in table(head, rows).splitlines()[2:]]


def test_numbers_have_thousands_and_a_column_one_number_of_decimals() -> None:
    rows: list[list[object]] = [[Decimal("1234.500000000"), 1], [Decimal("0E-9"), 12_345], [0.125, None]]
    assert cells(["a", "b"], *rows) == [["1,234.500", "1"], ["0.000", "12,345"], ["0.125"]]
    assert cells(["a"], [Decimal("7.000000000")]) == [["7.00"]]


def test_a_column_of_days_shows_no_times() -> None:
    assert cells(["day"], [MIDNIGHT]) == [["2026-01-31"]]
    assert cells(["day"], [MIDNIGHT], [NOON]) == [["2026-01-31", "00:00:00"], ["2026-01-31", "12:00:00"]]


def test_texts_are_cut_until_a_table_fits() -> None:
    wide = table(["name", "note", "number"], [["株式会社さくら" * 3, "x" * 200, 5]], 60)
    assert all(len(line) + sum(char > "\u2e80" for char in line) <= 60 for line in wide.splitlines())
    assert wide.splitlines()[2].count("…") == 2
    assert wide.endswith("5")


def test_what_does_not_fit_is_shown_a_value_a_line() -> None:
    head = [f"column_{n}" for n in range(20)]
    shown = table(head, [["y" * 90] * 20, [None] * 20], 80)
    assert [line.split()[0] for line in shown.splitlines()] == ["--", *head, "--", *head]
    assert max(map(len, shown.splitlines())) == 80


def test_an_answer_without_rows_says_so() -> None:
    assert table(["a"], []).splitlines()[-1] == "(no rows)"


@pytest.mark.parametrize("width", [10, 40, 80])
def test_names_side_by_side_are_all_there_and_fit(width: int) -> None:
    numbers = {f"name_{n}": n * 100 for n in range(12)}
    shown = side_by_side(numbers, width)
    assert set(shown.split()) == {*numbers, *(f"{number:,}" for number in numbers.values())}
    assert width < 15 or max(map(len, shown.splitlines())) <= width


def test_the_numbers_beside_names_stand_below_one_another() -> None:
    assert side_by_side({"a": 5, "long_name": 1234}, 16) == "a             5\nlong_name 1,234"


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file such as the demo leaves, with one table of two rows."""
    path = tmp_path / "warehouse.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute("CREATE SCHEMA codat; CREATE TABLE codat.invoices AS SELECT * FROM range(2) t(id)")
    monkeypatch.setattr(query, "DATABASE", path)
    monkeypatch.setattr(query, "name_of", str)
    return path


@pytest.mark.usefixtures("database")
def test_without_a_query_the_tables_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert query.main([]) == 0
    assert "1 tables in the schema codat" in capsys.readouterr().out


def test_a_reader_that_leaves_early_sees_no_traceback(database: Path) -> None:
    asked = ["--database", str(database), "SELECT * FROM range(100000)"]
    with subprocess.Popen(
        [sys.executable, "-m", "tools.demo.query", *asked],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline() == b" range\n"
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 0


def test_another_file_can_be_asked(
    database: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    database.rename(tmp_path / "other.duckdb")
    named = ["--database", str(tmp_path / "other.duckdb")]
    assert query.main([*named, "SELECT count(*) AS rows FROM codat.invoices"]) == 0
    assert capsys.readouterr().out.split()[-1] == "2"
    assert query.main(named) == 0
    assert f"tools.demo.query --database {tmp_path / 'other.duckdb'} " in capsys.readouterr().out
    assert query.main(["--database", "missing.duckdb"]) == 1
    assert capsys.readouterr().err == "There is no missing.duckdb: check the name.\n"


@pytest.mark.usefixtures("database")
@pytest.mark.parametrize(
    ("asked", "told"),
    [
        (["SELEC 1"], 'Parser Error: syntax error at or near "SELEC"'),
        (["SELECT * FROM invoice"], "Did you mean"),
        (["DROP TABLE codat.invoices"], "read-only"),
        (["SELECT", "1"], "in quotes"),
    ],
)
def test_a_query_that_cannot_be_answered_is_told_in_one_line(
    asked: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert query.main(asked) in {1, 2}
    said = capsys.readouterr()
    assert (said.out, said.err.count("\n")) == ("", 1)
    assert told in said.err


def test_before_the_first_demo_a_query_says_to_run_it(
    database: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    database.unlink()
    assert query.main([]) == 1
    assert "make demo" in capsys.readouterr().err


def test_a_second_demo_leaves_a_running_one_alone_and_tidies_up_after_a_killed_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workspace, "FOLDER", tmp_path / ".demo")
    killed = tmp_path / ".demo" / "run-killed"
    killed.mkdir(parents=True)
    with workspace.run_folder() as first:
        (first / "warehouse.duckdb").touch()
        with workspace.run_folder() as second:
            assert first != second
            assert not killed.exists()
        assert not second.exists()
        assert (first / "warehouse.duckdb").exists()
    assert not first.exists()


RIGHT = StreamRows("invoices", rows=5, expected=5, changed=2, second=3, third=0)


@pytest.mark.parametrize(
    ("mistaken", "told"),
    [
        ({"rows": 4}, "number of rows"),
        ({"changed": 4}, "missed changes"),
        ({"rows": 0, "expected": None}, "nothing arrived"),
    ],
)
def test_a_demo_that_lost_something_says_so(mistaken: dict[str, int | None], told: str) -> None:
    assert not list(what_is_wrong([RIGHT]))
    [sentence] = what_is_wrong([StreamRows(**{**vars(RIGHT), **mistaken})])
    assert told in sentence
    assert "invoices" in sentence
