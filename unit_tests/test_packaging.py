"""What is shipped; versions, labels and entry points are the same wherever they are named."""

import configparser
import json
import re
import shutil
import subprocess
import sys
import tarfile
import xml.etree.ElementTree as ET
import zipfile
from email.parser import Parser
from pathlib import Path
from uuid import UUID

import pytest
import yaml

from unit_tests.support.manifest import MANIFEST

ROOT = Path(__file__).resolve().parent.parent
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
METADATA = yaml.safe_load((ROOT / "metadata.yaml").read_text(encoding="utf-8"))["data"]
VERSION = METADATA["dockerImageTag"]
NOT_SHIPPED = (
    "codat_simulator",
    "unit_tests",
    "integration_tests",
    "tools",
)


def first_match(pattern: str, path: str) -> str:
    found = re.search(pattern, (ROOT / path).read_text(encoding="utf-8"), re.MULTILINE)
    assert found, f"nothing in {path} matches {pattern}"
    return found[1]


def dockerfile_label(name: str) -> str:
    found = re.search(rf"{re.escape(name)}=(\S+)", DOCKERFILE)
    assert found, name
    return found[1]


@pytest.fixture(scope="module")
def distributions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Wheel and sdist, built once from a copy without what git ignores."""
    place = tmp_path_factory.mktemp("build")
    source = place / "source"
    ignored = shutil.ignore_patterns(
        *(".git", ".venv*", ".demo", ".bench", ".tmp", ".hypothesis", ".*_cache"),
        *("build", "dist", "*.egg-info", "__pycache__"),
    )
    shutil.copytree(ROOT, source, ignore=ignored)
    # Built by this environment's setuptools: a test shouldn't need a network.
    code = "from setuptools import build_meta as b; b.build_wheel({0!r}), b.build_sdist({0!r})".format(
        str(place)
    )
    subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        cwd=source,
        check=True,
        capture_output=True,
        timeout=300,
    )
    return place


@pytest.fixture(scope="module")
def wheel(distributions: Path) -> dict[str, bytes]:
    [path] = distributions.glob("*.whl")
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        (r'^    version="(.+)",', "setup.py"),
        (r'^version = "(.+)"', "pyproject.toml"),
        (r"^## \[?(\d+\.\d+\.\d+)", "CHANGELOG.md"),
        (r"io\.airbyte\.version=(\S+)", "Dockerfile"),
    ],
)
def test_the_version_is_the_same_everywhere(pattern: str, path: str) -> None:
    assert first_match(pattern, path) == VERSION


def test_the_manifest_is_written_for_the_lowest_cdk_that_is_allowed() -> None:
    assert first_match(r"airbyte-cdk>=([\d.]+)", "setup.py") == MANIFEST["version"]


def test_the_image_labels_are_those_of_the_metadata() -> None:
    assert dockerfile_label("io.airbyte.name") == METADATA["dockerRepository"]
    assert dockerfile_label("io.airbyte.version") == METADATA["dockerImageTag"]


def test_the_image_starts_what_airbyte_is_told_it_starts() -> None:
    [entry_point] = re.findall(r"^ENTRYPOINT (.+)$", DOCKERFILE, re.MULTILINE)
    [told] = re.findall(r'AIRBYTE_ENTRYPOINT="(.+?)"', DOCKERFILE)
    assert " ".join(json.loads(entry_point)) == told


def test_the_image_builds_on_the_base_that_the_metadata_names() -> None:
    assert (
        first_match(r"^ARG BASE_IMAGE=(\S+)", "Dockerfile") == METADATA["connectorBuildOptions"]["baseImage"]
    )


def test_the_image_does_not_run_as_root() -> None:
    assert re.findall(r"^USER (.+)$", DOCKERFILE, re.MULTILINE)[-1] == "airbyte"


def test_the_licence_is_the_same_everywhere() -> None:
    assert (ROOT / "LICENSE").read_text(encoding="utf-8").startswith("MIT License")
    assert METADATA["license"] == "MIT"
    assert first_match(r'^    license="(.+)",', "setup.py") == "MIT"
    assert first_match(r'^license = "(.+)"', "pyproject.toml") == "MIT"


def test_the_metadata_has_one_definition_id_for_ever() -> None:
    assert UUID(METADATA["definitionId"]) == UUID("8dd801fa-0b98-4635-837b-0c4dbaf80021")


def test_the_suggested_streams_exist() -> None:
    names = {row["$parameters"]["name"] for row in MANIFEST["streams"]}
    suggested = METADATA["suggestedStreams"]["streams"]
    assert suggested
    assert set(suggested) <= names


def test_the_icon_is_a_square_svg() -> None:
    root = ET.parse(ROOT / METADATA["icon"]).getroot()
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    left, top, width, height = map(float, root.attrib["viewBox"].split())
    assert (left, top, width) == (0, 0, height)


def test_the_wheel_brings_everything_the_connector_reads(wheel: dict[str, bytes]) -> None:
    package = ROOT / "source_codat"
    wanted = {
        f"source_codat/{path.relative_to(package).as_posix()}"
        for path in package.rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }
    assert {"source_codat/manifest.yaml", "source_codat/spec.json", "source_codat/py.typed"} <= wanted
    assert {name for name in wheel if name.startswith("source_codat/")} == wanted


def test_the_wheel_brings_nothing_else(wheel: dict[str, bytes]) -> None:
    others = {name.split("/")[0] for name in wheel} - {"source_codat"}
    assert all(name.endswith(".dist-info") for name in others), others


def test_the_wheel_installs_the_command_and_names_its_needs(wheel: dict[str, bytes]) -> None:
    [entry_points] = [data.decode() for name, data in wheel.items() if name.endswith("entry_points.txt")]
    parser = configparser.ConfigParser()
    parser.read_string(entry_points)
    assert dict(parser["console_scripts"]) == {"source-codat": "source_codat.run:run"}

    [metadata] = [
        Parser().parsestr(data.decode()) for name, data in wheel.items() if name.endswith("/METADATA")
    ]
    needs = [need for need in metadata.get_all("Requires-Dist") or [] if "extra ==" not in need]
    names = {re.split(r"[<>=! ]", need)[0].lower() for need in needs}
    assert names == {"airbyte-cdk", "msgspec", "pendulum", "requests", "urllib3"}
    assert (metadata["Name"], metadata["Version"]) == ("airbyte-source-codat", VERSION)


def test_the_sdist_leaves_tests_and_simulator_out(distributions: Path) -> None:
    [path] = distributions.glob("*.tar.gz")
    with tarfile.open(path) as archive:
        folders = {name.split("/")[1] for name in archive.getnames() if "/" in name}
    assert "source_codat" in folders
    assert folders.isdisjoint(NOT_SHIPPED)
