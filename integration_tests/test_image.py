"""The image builds, and does in a container what the console script does; skips where no engine answers."""

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from codat_simulator import Simulator

ROOT = Path(__file__).resolve().parent.parent
METADATA = yaml.safe_load((ROOT / "metadata.yaml").read_text(encoding="utf-8"))["data"]
LOCAL_BASE = "localhost/python-base:3.11"
IMAGE = "source-codat:test"

pytestmark = [pytest.mark.image_tests, pytest.mark.slow]

Run = Callable[..., "Outcome"]


class Outcome:
    """What a container wrote and how it ended."""

    def __init__(self, done: subprocess.CompletedProcess[str]) -> None:
        self.exit_code = done.returncode
        self.text = done.stdout + done.stderr
        # Not splitlines(), which also splits at characters that JSON allows inside a string.
        lines = done.stdout.rstrip("\n").split("\n")
        self.messages: list[dict[str, Any]] = [json.loads(line) for line in lines]

    def only(self, kind: str) -> dict[str, Any]:
        [message] = [message for message in self.messages if message["type"] == kind]
        return message

    def records(self, stream: str) -> list[dict[str, Any]]:
        found = [message["record"] for message in self.messages if message["type"] == "RECORD"]
        return [record["data"] for record in found if record["stream"] == stream]


def docker(*arguments: str, seconds: int = 120) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["docker", *arguments], check=False, capture_output=True, text=True, timeout=seconds
    )


@pytest.fixture(scope="module")
def image() -> str:
    if shutil.which("docker") is None:
        pytest.skip("no docker command here")
    answer = docker("version", "--format", "{{.Server.Version}}")
    if answer.returncode:
        pytest.skip(f"no Docker engine answers: {answer.stderr.strip()}")
    base = os.environ.get("BASE_IMAGE") or (
        LOCAL_BASE if not docker("image", "inspect", LOCAL_BASE).returncode else ""
    )
    if not base:
        pytest.skip(f"no base image here: set BASE_IMAGE, or make {LOCAL_BASE}")
    built = docker("build", "--build-arg", f"BASE_IMAGE={base}", "-t", IMAGE, str(ROOT), seconds=900)
    assert built.returncode == 0, built.stdout + built.stderr
    return IMAGE


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    with Simulator(companies=2, seed=11, records=20) as running:
        yield running


@pytest.fixture
def run(image: str, simulator: Simulator, tmp_path: Path) -> Run:
    """Run a command of the connector; `files` are written to /secrets first."""

    def run_container(*arguments: str, **files: Any) -> Outcome:
        tmp_path.chmod(0o755)
        config = {"api_key": simulator.api_key, "base_url": simulator.url}
        for name, content in {"config": config, **files}.items():
            (tmp_path / f"{name}.json").write_text(json.dumps(content), encoding="utf-8")
        volume = f"{tmp_path}:/secrets:ro"
        return Outcome(docker("run", "--rm", "--network", "host", "-v", volume, image, *arguments))

    return run_container


def inspect(image: str, path: str) -> Any:
    return json.loads(docker("image", "inspect", "--format", f"{{{{json {path}}}}}", image).stdout)


def test_spec_is_the_packaged_one(run: Run) -> None:
    packaged = json.loads((ROOT / "source_codat" / "spec.json").read_text(encoding="utf-8"))
    assert run("spec").only("SPEC")["spec"]["connectionSpecification"] == packaged["connectionSpecification"]


def test_check_succeeds_with_the_right_key(run: Run) -> None:
    outcome = run("check", "--config", "/secrets/config.json")
    assert outcome.only("CONNECTION_STATUS")["connectionStatus"]["status"] == "SUCCEEDED"


def test_check_fails_with_a_wrong_key_and_does_not_show_it(run: Run, simulator: Simulator) -> None:
    key = "a-wrong-key-that-nobody-may-see-1234"
    outcome = run(
        "check", "--config", "/secrets/config.json", config={"api_key": key, "base_url": simulator.url}
    )
    assert outcome.only("CONNECTION_STATUS")["connectionStatus"]["status"] == "FAILED"
    assert key not in outcome.text


def test_discover_and_read_bring_what_the_simulator_holds(run: Run, simulator: Simulator) -> None:
    catalog = run("discover", "--config", "/secrets/config.json").only("CATALOG")["catalog"]
    streams = [stream for stream in catalog["streams"] if stream["name"] in {"companies", "invoices"}]
    configured = [
        {"stream": stream, "sync_mode": "full_refresh", "destination_sync_mode": "overwrite"}
        for stream in streams
    ]
    outcome = run(
        "read",
        "--config",
        "/secrets/config.json",
        "--catalog",
        "/secrets/catalog.json",
        catalog={"streams": configured},
    )
    assert outcome.exit_code == 0, outcome.text
    assert len(outcome.records("companies")) == len(simulator.world.companies)
    assert {row["id"] for row in outcome.records("invoices")} == {
        row["id"] for row in simulator.world.records("invoices")
    }


def test_a_configuration_that_cannot_be_read_ends_with_an_error(run: Run) -> None:
    outcome = run("read", "--config", "/secrets/nothing.json", "--catalog", "/secrets/nothing.json")
    assert outcome.exit_code != 0
    assert outcome.only("TRACE")["trace"]["type"] == "ERROR"


def test_the_image_says_who_it_is(image: str) -> None:
    labels = inspect(image, ".Config.Labels")
    assert labels["io.airbyte.name"] == METADATA["dockerRepository"]
    assert labels["io.airbyte.version"] == METADATA["dockerImageTag"]


def test_the_image_starts_what_airbyte_is_told_it_starts(image: str) -> None:
    entry_point = " ".join(inspect(image, ".Config.Entrypoint"))
    assert f"AIRBYTE_ENTRYPOINT={entry_point}" in inspect(image, ".Config.Env")


def test_the_image_runs_as_airbyte_and_holds_nothing_that_is_not_needed(image: str) -> None:
    script = (
        "id -un; ls /airbyte/integration_code; pip list 2>/dev/null | grep -ciE '^(pytest|ruff|aiohttp) '"
    )
    seen = docker("run", "--rm", "--entrypoint", "sh", image, "-c", script).stdout.split()
    assert seen == ["airbyte", "LICENSE", "main.py", "0"]
