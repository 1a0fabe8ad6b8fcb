"""The README's commands, as they stand there, against the simulator instead of Codat.

`tools.demo.load` is what test_warehouse.py loads with.
"""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from codat_simulator import Simulator
from integration_tests.support.connector import parse
from integration_tests.support.image import AS_PLANNED, ROOT, docker

README = (ROOT / "README.md").read_text(encoding="utf-8")
SCRIPT = re.compile(r"(?:^ {4}.*\n)+", re.MULTILINE)


@pytest.fixture
def sim() -> Iterator[Simulator]:
    with Simulator(companies=1, seed=7, records=4) as simulator:
        yield simulator


def commands(heading: str) -> str:
    """The script under a heading, a command a line, without what installs and builds: other tests do that."""
    section = README.split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]
    script = re.sub(r"^ {4}", "", SCRIPT.findall(section)[0], flags=re.MULTILINE)
    script = script.replace("\\\n", " ")
    kept = [line for line in script.splitlines() if "pip install" not in line and "docker build" not in line]
    return "\n".join(kept)


def run(script: str, folder: Path, sim: Simulator) -> subprocess.CompletedProcess[bytes]:
    """Run a script as a user does who put the simulator's key into it."""
    (folder / ".venv").symlink_to(Path(sys.prefix))
    given = script.replace('"<your key>"', f'"{sim.api_key}", "base_url": "{sim.url}"')
    return subprocess.run(["sh", "-euc", given], check=False, cwd=folder, capture_output=True, timeout=300)


def assert_that_the_commands_worked(
    done: subprocess.CompletedProcess[bytes], folder: Path, sim: Simulator
) -> None:
    written = b"".join(file.read_bytes() for file in (*folder.rglob("catalog.json"), folder / "first.jsonl"))
    said = parse(done.stdout + written, done.stderr, done.returncode)
    assert (said.code, said.unparsed, said.errors) == (0, [], [])
    assert said.status["status"] == "SUCCEEDED"
    assert {"SPEC", "CATALOG", "STATE"} <= {one["type"] for one in said.messages}
    invoices = {one["id"] for one in said.records("invoices")}
    assert invoices == {one["id"] for one in sim.world.records("invoices")}


def test_the_commands_under_your_own_key_end_with_invoices(sim: Simulator, tmp_path: Path) -> None:
    assert_that_the_commands_worked(run(commands("With your own key"), tmp_path, sim), tmp_path, sim)
    second = parse((tmp_path / "second.jsonl").read_bytes())
    assert second.statuses("invoices")[-1] == "COMPLETE"
    assert second.records("invoices") == []


@pytest.mark.slow
@pytest.mark.image_tests
@pytest.mark.xdist_group("image")
def test_the_docker_commands_end_with_invoices(image: str, sim: Simulator, tmp_path: Path) -> None:
    first = [line for line in commands("With your own key").split("\n") if "source-codat" not in line]
    script = commands("Docker").replace("airbyte/source-codat:dev", image)
    assert docker("image", "inspect", image).returncode == 0
    tmp_path.chmod(0o755)
    script = script.replace("docker run --rm", f"docker run --rm {' '.join(AS_PLANNED)}")
    assert_that_the_commands_worked(run("\n".join([*first, script]), tmp_path, sim), tmp_path, sim)
