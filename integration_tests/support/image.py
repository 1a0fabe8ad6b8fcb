"""The image as it is built from this checkout, for tests that run it; they skip where no engine answers."""

import os
import shutil
import subprocess
from functools import cache
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parent.parent.parent
METADATA = yaml.safe_load((ROOT / "metadata.yaml").read_text(encoding="utf-8"))["data"]
LOCAL_BASE = "localhost/python-base:3.11"
IMAGE = "source-codat:test"
# The memory that Airbyte's platform is asked to set aside; loopback, where the simulator listens.
_MEMORY = METADATA["resourceRequirements"]["default"]["memory_request"].lower().removesuffix("i")
AS_PLANNED = ["--memory", _MEMORY, "--memory-swap", _MEMORY, "--network", "host"]


def docker(*arguments: str, seconds: int = 120) -> subprocess.CompletedProcess[str]:
    """Run a docker command to its end."""
    return subprocess.run(
        ["docker", *arguments], check=False, capture_output=True, text=True, timeout=seconds
    )


def base_image() -> str:
    """The base to build on: a local stand-in, unless BASE_IMAGE names another."""
    if shutil.which("docker") is None:
        pytest.skip("no docker command here")
    answer = docker("version", "--format", "{{.Server.Version}}")
    if answer.returncode:
        pytest.skip(f"no Docker engine answers: {answer.stderr.strip()}")
    local = "" if docker("image", "inspect", LOCAL_BASE).returncode else LOCAL_BASE
    base = os.environ.get("BASE_IMAGE") or local
    if not base:
        pytest.skip(f"no base image here: set BASE_IMAGE, or make {LOCAL_BASE}")
    return base


@cache
def _built(base: str) -> str:
    done = docker("build", "--build-arg", f"BASE_IMAGE={base}", "-t", IMAGE, str(ROOT), seconds=900)
    assert done.returncode == 0, done.stdout + done.stderr
    return IMAGE


@pytest.fixture(scope="session")
def image() -> str:
    """The name of the image, built once."""
    return _built(base_image())
