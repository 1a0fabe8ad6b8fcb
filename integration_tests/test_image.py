"""The image does in a container what the console script does; skips where no engine answers."""

import json
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from codat_simulator import Simulator
from integration_tests.support.connector import catalog, config, parse
from integration_tests.support.image import AS_PLANNED, METADATA, ROOT, docker

LEFT_OUT = ["codat_simulator", "integration_tests", "unit_tests", "tools", ".git"]

pytestmark = [pytest.mark.image_tests, pytest.mark.slow, pytest.mark.xdist_group("image")]

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


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    with Simulator(companies=2, seed=11, records=20) as running:
        yield running


@pytest.fixture
def run(image: str, simulator: Simulator, tmp_path: Path) -> Run:
    """Run a command with no more memory than it asks for; `files` are written to /secrets first."""

    def run_container(*arguments: str, **files: Any) -> Outcome:
        tmp_path.chmod(0o755)
        config = {"api_key": simulator.api_key, "base_url": simulator.url}
        for name, content in {"config": config, **files}.items():
            (tmp_path / f"{name}.json").write_text(json.dumps(content), encoding="utf-8")
        volume = f"{tmp_path}:/secrets:ro"
        return Outcome(docker("run", "--rm", *AS_PLANNED, "-v", volume, image, *arguments))

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
    script = "id -un; ls -A /airbyte/integration_code; ls -A /tmp; pip list 2>/dev/null | cut -d' ' -f1"
    seen = docker("run", "--rm", "--entrypoint", "sh", image, "-c", script).stdout.split()
    assert seen[:3] == ["airbyte", "LICENSE", "main.py"]
    installed = {name.lower() for name in seen[3:]}
    assert {"airbyte-source-codat", "airbyte-cdk"} <= installed
    assert installed.isdisjoint({"pytest", "ruff", "mypy", "aiohttp", "hypothesis", "airbyte", "duckdb"})


def test_the_image_holds_no_cache_and_of_the_checkout_the_package_only(image: str) -> None:
    # What other packages have inside is theirs: pandas has two folders called tools.
    named = f"-name {' -o -name '.join(LEFT_OUT)}"
    script = f"find / -xdev -path '*-packages/*/*' -prune -o \\( {named} \\) -print; ls -A ~/.cache"
    told = docker("run", "--rm", "-u", "0", "--entrypoint", "sh", image, "-c", script)
    assert told.stdout == ""


def test_dependencies_have_a_layer_of_their_own_that_the_code_leaves_alone(image: str) -> None:
    told = docker("history", "--no-trunc", "--format", "{{.Size}} {{.CreatedBy}}", image).stdout
    [dependencies, package] = [line for line in reversed(told.splitlines()) if "pip install" in line]
    assert "--no-deps" in package
    small, large = (_megabytes(line.split()[0]) for line in (package, dependencies))
    assert 20 * small < large


def _megabytes(size: str) -> float:
    number = size.rstrip("BGMk")
    return float(number) * {"B": 1e-6, "kB": 1e-3, "MB": 1, "GB": 1e3}[size.removeprefix(number)]


def test_docker_stop_ends_a_read_after_its_last_state(
    image: str, simulator: Simulator, tmp_path: Path
) -> None:
    tmp_path.chmod(0o755)
    given = {"config": config(simulator, page_size=3), "catalog": catalog("invoices", "bills")}
    for name, content in given.items():
        (tmp_path / f"{name}.json").write_text(json.dumps(content), encoding="utf-8")
    name = f"source-codat-{tmp_path.name}"
    options = ["--rm", "--name", name, *AS_PLANNED, "-v", f"{tmp_path}:/secrets:ro"]
    files = ["--config", "/secrets/config.json", "--catalog", "/secrets/catalog.json"]
    asked = len(simulator.requests)
    simulator.latency = 0.3
    try:
        process = subprocess.Popen(["docker", "run", *options, image, "read", *files], stdout=subprocess.PIPE)
        while len(simulator.requests) < asked + 8 and process.poll() is None:
            time.sleep(0.05)
        docker("stop", "--time", "60", name)
        out, _ = process.communicate(timeout=60)
    finally:
        simulator.latency = 0
    said = parse(out, code=process.returncode)
    assert said.unparsed == []
    assert said.code == 128 + signal.SIGTERM  # the first process of a container is immune to its own signals
    assert [one for one in said.messages if one["type"] in {"RECORD", "STATE"}][-1]["type"] == "STATE"
    assert said.errors[-1]["failure_type"] == "transient_error"
