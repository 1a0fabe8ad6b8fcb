"""The README's commands, pasted from its top to its bottom, with the simulator in the place of Codat.

A block that says `sh` is pasted into a shell, one that says `python` is run as a program, and one that says
`text` is what the shell has to answer. Only what a test mustn't use is replaced: the port, the key and the
image's name.
"""

import json
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from codat_simulator import Simulator
from integration_tests.support.connector import Said, parse
from integration_tests.support.image import AS_PLANNED, ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^```(sh|python)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PORT = "8765"
IMAGE = "airbyte/source-codat:dev"
NOT_COPIED = shutil.ignore_patterns(".*", "secrets", "build", "dist", "__pycache__", "*.egg-info")
# Every section that has commands, in the README's order.
SECTIONS = {
    heading: [(language, text) for language, text in BLOCK.findall(body)]
    for heading, body in re.findall(r"^## (.+?)\n(.*?)(?=^## |\Z)", README, re.MULTILINE | re.DOTALL)
    if BLOCK.search(body)
}


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of this checkout, after `make setup`: its environment is the one that runs this test."""
    folder = tmp_path / "source-codat"
    shutil.copytree(ROOT, folder, ignore=NOT_COPIED)
    environment = folder / ".venv"
    environment.mkdir()
    for entry in Path(sys.prefix).iterdir():
        if entry.name != ".ready":
            (environment / entry.name).symlink_to(entry)
    (environment / ".ready").touch()  # newer than what it is made from, so nothing is installed
    return folder


@pytest.fixture
def codat() -> Iterator[Simulator]:
    """What stands in for the real Codat."""
    with Simulator(companies=1, seed=7, records=4) as simulator:
        yield simulator


def blocks(*headings: str) -> str:
    """All blocks of the sections, one after the other, as one script for a shell."""
    found = [block for heading in headings for block in SECTIONS[heading]]
    return "\n".join(
        text
        if language == "sh"
        else f"cat > program.py <<'END'\n{text}END\n.venv/bin/python -W ignore program.py\n"
        for language, text in found
    )


def paste(script: str, folder: Path, codat: Simulator, seconds: int = 300) -> str:
    """Run a script as a user does who puts a key into it, and stop the simulator as the README says.

    Returns what it wrote.
    """
    assert "`kill $!` stops the simulator" in README
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    given = script.replace(PORT, port)
    given = given.replace('"<your key>"', f'"{codat.api_key}", "base_url": "{codat.url}"')
    given = given.replace("'<your key>'", f"{codat.api_key} CODAT_BASE_URL={codat.url}")
    assert "<" + "your" not in given
    stopping = "trap 'kill $(jobs -p) 2>/dev/null || true' EXIT\n"
    done = subprocess.run(
        ["bash", "-euc", stopping + given],
        check=False,
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=seconds,
    )
    assert done.returncode == 0, done.stdout.decode()[-3000:]
    return done.stdout.decode()


def in_numbers(line: str) -> tuple[str, list[int]]:
    """A line of the demo without dots, dashes and numbers, and the numbers."""
    numbers = [int(one.replace(",", "")) for one in re.findall(r"(?<!\w)\d[\d,]*(?!\w)", line)]
    return " ".join(re.sub(r"(?<!\w)\d[\d,]*(?!\w)| \.+(?= )|-{2,}", "", line).split()), numbers


def read(folder: Path, name: str) -> Said:
    """What a command wrote into a file in `secrets`, which has to be valid and without errors."""
    said: Said = parse((folder / "secrets" / name).read_bytes())
    assert (said.unparsed, said.errors) == ([], [])
    return said


def requests(said: Said) -> int:
    """How many requests a read made, by its log."""
    [number] = re.findall(r"Codat: (\d+) requests", "\n".join(said.logs))
    return int(number)


def test_the_docker_commands_leave_the_files_of_other_sections_alone() -> None:
    written = {
        heading: set(re.findall(r"> secrets/(\S+)", "".join(text for _, text in found)))
        for heading, found in SECTIONS.items()
    }
    assert written["Docker"] & (written["Without a key"] | written["With a key"]) == set()


def test_no_line_of_the_readme_is_longer_than_the_others() -> None:
    lines = [line for line in README.splitlines() if not line.startswith("|")]
    assert [line for line in lines if len(line) > 120] == []


def test_every_section_with_commands_is_pasted_by_a_test_below() -> None:
    assert list(SECTIONS) == ["Try it", "Without a key", "With a key", "With PyAirbyte", "Docker"]


@pytest.mark.slow
def test_without_a_key_with_one_and_with_pyairbyte_the_commands_end_with_records(
    checkout: Path, codat: Simulator
) -> None:
    shown = paste(blocks("Without a key", "With a key", "With PyAirbyte"), checkout, codat, seconds=1800)
    assert "run it with `.venv/bin/python -W ignore`" in README
    assert "FutureWarning" not in shown
    assert "Connection check succeeded" in shown
    assert "Could not determine airbyte type" not in shown  # what PyAirbyte says of a column
    answers = re.findall(r"^```text\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
    assert len(answers) == 2
    assert [answer for answer in answers if answer not in shown] == [], (
        f"these answers of the README aren't in what its commands print: correct them by it\n{shown}"
    )

    first, second = read(checkout, "first.jsonl"), read(checkout, "second.jsonl")
    [told] = re.findall(r"The second read made (\d+) requests, the first one (\d+)", README)
    assert [requests(second), requests(first)] == [int(number) for number in told]
    assert len(first.records("invoices")) == 36
    assert second.statuses("invoices")[-1] == "COMPLETE"

    real, again = read(checkout, "codat_first.jsonl"), read(checkout, "codat_second.jsonl")
    assert {one["id"] for one in real.records("invoices")} == {
        one["id"] for one in codat.world.records("invoices")
    }
    assert again.statuses("invoices")[-1] == "COMPLETE"
    assert again.records("invoices") == []
    assert json.loads((checkout / "secrets" / "codat.json").read_text())["api_key"] == codat.api_key


@pytest.mark.slow
@pytest.mark.image_tests
@pytest.mark.xdist_group("image")
def test_the_docker_commands_end_with_records_and_continue_from_a_state(
    image: str, checkout: Path, codat: Simulator
) -> None:
    checkout.chmod(0o755)
    script = blocks("Without a key", "Docker").replace(f"docker build -t {IMAGE} .\n", "")
    memory = " ".join(AS_PLANNED[:4])
    script = script.replace("docker run --rm", f"docker run --rm {memory}").replace(IMAGE, image)
    paste(script, checkout, codat)

    first, second = read(checkout, "docker_first.jsonl"), read(checkout, "docker_second.jsonl")
    assert len(first.records("invoices")) >= 36
    assert second.records("invoices") == []
    assert second.statuses("invoices")[-1] == "COMPLETE"


@pytest.mark.slow
def test_the_demo_runs_as_it_stands_there(checkout: Path, codat: Simulator) -> None:
    """Of `make test`, which runs this test, only what it would do."""
    script = blocks("Try it")
    assert "make test" in script
    printed = paste(script.replace("make test", "make -n test"), checkout, codat, seconds=900)
    assert (checkout / ".demo" / "warehouse.duckdb").is_file()
    [told] = re.findall(r"<!-- demo -->\n```\n(.+?)```\n<!-- end of demo -->", README, re.DOTALL)
    shown = list(map(in_numbers, printed.splitlines()))
    for words, numbers in map(in_numbers, told.splitlines()):
        # The simulator goes by the real clock, so that not every number is the same on every day.
        found = [theirs for same, theirs in shown if same == words]
        assert words == "…" or pytest.approx(numbers, rel=0.1, abs=3) in found, (
            f"the demo prints no line like {words!r} with about {numbers} (found: {found}); put what it"
            f" prints between <!-- demo --> and its end in README.md:\n{printed}"
        )
