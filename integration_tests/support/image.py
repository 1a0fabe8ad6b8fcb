"""The image as it is built from this checkout, for tests that run it; they skip where it can't be built."""

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

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


@dataclass(frozen=True)
class Base:
    """What the image can be built on, or why it can't be built here."""

    name: str = ""
    missing: str = ""


def find_base() -> Base:
    """Ask once for a run, before its first test: an engine that comes up later is left for the next run."""
    if shutil.which("docker") is None:
        return Base(missing="no docker command here")
    try:
        answer = docker("version", "--format", "{{.Server.Version}}", seconds=20)
    except subprocess.TimeoutExpired:
        return Base(missing="the Docker engine doesn't answer within 20 seconds")
    if answer.returncode:
        return Base(missing=f"no Docker engine answers: {answer.stderr.strip()}")
    local = "" if docker("image", "inspect", LOCAL_BASE).returncode else LOCAL_BASE
    base = os.environ.get("BASE_IMAGE") or local
    return Base(base) if base else Base(missing=f"no base image here: set BASE_IMAGE, or make {LOCAL_BASE}")


def build(base: str) -> str:
    """Build the image of this checkout; return its id, which no other build can move as it can a tag."""
    done = docker("build", "-q", "--build-arg", f"BASE_IMAGE={base}", "-t", IMAGE, str(ROOT), seconds=900)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.strip()
