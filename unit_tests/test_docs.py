"""The documents stay true and free of what only one machine has."""

import ast
import json
import re
import subprocess
from pathlib import Path

import pytest
import yaml

from unit_tests.support.manifest import MANIFEST

ROOT = Path(__file__).resolve().parent.parent
LINK = re.compile(r"\[[^\]]*\]\(([^)#\s]+)(#[^)\s]*)?\)")
# Written in pieces, so that this file doesn't find itself.
FOREIGN = re.compile(
    "|".join(
        [
            "/work/" + "(shared|main)",
            r"/home/\w+/",
            "/ro" + "ot/",
            "http://127" + r"\.0\.0\.1",
            "/opt/" + "pypi",
        ]
    )
)


def tracked() -> list[Path]:
    """Every file that is, or would be, in the repository."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        check=False,
        capture_output=True,
    )
    if listed.returncode:
        pytest.skip("not a git checkout")
    return [path for name in listed.stdout.decode().split("\0") if name and (path := ROOT / name).is_file()]


def documents() -> list[Path]:
    return [path for path in tracked() if path.suffix == ".md"]


def text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace")


def section(document: str, heading: str) -> str:
    return re.split(r"^## ", document.split(f"\n## {heading}\n", 1)[1], maxsplit=1, flags=re.MULTILINE)[0]


def test_every_relative_link_leads_somewhere() -> None:
    broken = [
        f"{document.relative_to(ROOT)}: {target}"
        for document in documents()
        for target, _ in LINK.findall(text_of(document))
        if "://" not in target
        and not target.startswith("mailto:")
        and not (document.parent / target).exists()
    ]
    assert not broken


def test_every_test_that_a_document_names_exists() -> None:
    named = {
        word
        for path in documents()
        for word in re.findall(r"\b((?:unit_tests|integration_tests)/[\w/]+\.py)", text_of(path))
    }
    assert len(named) >= 10
    assert not [word for word in named if not (ROOT / word).is_file()]


def test_nothing_names_a_place_that_only_one_machine_has() -> None:
    found = [
        f"{path.relative_to(ROOT)}: {hit[0]}"
        for path in tracked()
        if path.suffix not in {".png", ".ico"} and (hit := FOREIGN.search(text_of(path)))
    ]
    assert not found


def test_the_readme_explains_every_field_of_the_spec() -> None:
    spec = json.loads(text_of(ROOT / "source_codat" / "spec.json"))
    properties = spec["connectionSpecification"]["properties"]
    rows = set(
        re.findall(r"^\| `(\w+)`", section(text_of(ROOT / "README.md"), "Configuration"), re.MULTILINE)
    )
    assert rows == set(properties)


def test_the_readme_says_how_many_streams_there_are_and_where_they_are_listed() -> None:
    names = {row["$parameters"]["name"] for row in MANIFEST["streams"]}
    told = section(text_of(ROOT / "README.md"), "Streams")
    count = len(names) + 1  # with read_outcomes, which isn't Codat's
    assert f"All {count} streams" in told, f'README.md, "Streams": write "All {count} streams"'
    assert "(docs/streams.md)" in told
    assert names <= set(re.findall(r"`(\w+)`", text_of(ROOT / "docs" / "streams.md")))


def test_every_make_command_in_the_documents_exists() -> None:
    targets = set(re.findall(r"^([a-z][a-z-]*):", text_of(ROOT / "Makefile"), re.MULTILINE))
    named = {
        word
        for path in documents()
        for word in re.findall(r"(?:`|^ {4}|^)make ([a-z-]+)", text_of(path), re.MULTILINE)
    }
    assert {"demo", "test"} <= named
    assert named <= targets


def test_the_makefile_explains_every_command() -> None:
    makefile = text_of(ROOT / "Makefile")
    [phony] = re.findall(r"^\.PHONY: (.+)$", makefile, re.MULTILINE)
    assert set(phony.split()) == set(re.findall(r"^([a-z-]+):.*## ", makefile, re.MULTILINE))


def test_continuous_integration_runs_every_supported_python_through_the_one_command() -> None:
    workflow = yaml.safe_load(text_of(ROOT / ".github" / "workflows" / "ci.yml"))
    [job] = workflow["jobs"].values()
    supported = re.findall(r"Python :: (3\.\d+)", text_of(ROOT / "setup.py"))
    assert job["strategy"]["matrix"]["python"] == supported
    [run] = [step["run"] for step in job["steps"] if "run" in step]
    assert run.endswith(" .ci/run")
    assert (ROOT / ".ci" / "run").is_file()


@pytest.mark.parametrize("form", ["bug_report", "feature_request"])
def test_an_issue_form_asks_for_something_and_names_each_answer_once(form: str) -> None:
    asked = yaml.safe_load(text_of(ROOT / ".github" / "ISSUE_TEMPLATE" / f"{form}.yml"))
    names = [entry["id"] for entry in asked["body"] if entry["type"] != "markdown"]
    assert len(names) == len(set(names)) >= 3


@pytest.mark.parametrize("folder", ["source_codat", "codat_simulator", "tools"])
def test_a_module_says_what_it_is(folder: str) -> None:
    for path in sorted((ROOT / folder).rglob("*.py")):
        assert ast.get_docstring(ast.parse(text_of(path))), path
