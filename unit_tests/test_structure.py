"""The parts of source_codat stay few, and depend on few others; `make structure` shows them."""

from pathlib import Path

import pytest

from tools.scripts.structure import PACKAGE, Structure, main, structure_of

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def structure() -> Structure:
    return structure_of(PACKAGE)


def test_there_are_at_most_14_parts_on_10_floors_with_60_arrows_between_them(structure: Structure) -> None:
    assert len(structure.imports) <= 14, str(structure)
    assert max(structure.floors.values()) <= 10, str(structure)
    assert structure.arrows <= 60, str(structure)


def test_no_imports_go_in_circles(structure: Structure) -> None:
    assert not structure.without_floor, str(structure)


def test_the_parts_are_those_that_the_package_has(structure: Structure) -> None:
    assert {"run", "source", "trust", "reading"} <= structure.imports.keys()
    assert structure.floors["run"] == max(structure.floors.values())


def test_floors_are_the_longest_chain_and_a_circle_has_none() -> None:
    chain = {"top": {"middle", "low"}, "middle": {"low"}, "low": set()}
    assert Structure({part: frozenset(imports) for part, imports in chain.items()}).floors == {
        "low": 1,
        "middle": 2,
        "top": 3,
    }
    circle = {"top": {"one"}, "one": {"two", "low"}, "two": {"one"}, "low": set()}
    structure = Structure({part: frozenset(imports) for part, imports in circle.items()})
    assert structure.without_floor == {"top", "one", "two"}
    assert structure.arrows == 4


def test_the_command_prints_each_part_and_the_numbers(
    structure: Structure, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main() == 0
    printed = capsys.readouterr().out
    assert all(f" {part} " in printed for part in structure.imports)
    assert printed.endswith(f"with {structure.arrows} arrows between them\n")


def test_the_page_about_the_architecture_names_every_module() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    package = ROOT / PACKAGE
    modules = [path.relative_to(package).with_suffix("").as_posix() for path in package.rglob("*.py")]
    unnamed = [name for name in sorted(modules) if "__" not in name and name not in page]
    assert not unnamed, f"docs/architecture.md doesn't say what these are for: {', '.join(unnamed)}"
