"""What documents, comments and commands name is there: modules, files, tests, sections."""

import ast
import re
from pathlib import Path

from unit_tests.test_docs import ROOT, documents, text_of, tracked

TEXTS = [path for path in tracked() if path.suffix in {".md", ".py", ".sh", ".toml", ".yaml"}]
OURS = ("source_codat", "codat_simulator", "tools", "unit_tests", "integration_tests")


def named(pattern: str, paths: list[Path]) -> set[str]:
    return {found for path in paths for found in re.findall(pattern, text_of(path))}


def is_module(name: str) -> bool:
    path = ROOT / name.replace(".", "/")
    return path.with_suffix(".py").is_file() or (path / "__main__.py").is_file()


def test_every_module_that_is_to_be_run_is_there() -> None:
    modules = named(r"-m ([\w.]*\w)", [*TEXTS, ROOT / "Makefile"])
    ours = {name for name in modules if name.split(".")[0] in OURS}
    assert len(ours) >= 8
    assert not [name for name in ours if not is_module(name)]


def test_every_file_of_ours_that_is_named_is_there() -> None:
    files = named(rf"`((?:{'|'.join(OURS)}|docs)/[\w./-]+)`", [*TEXTS, ROOT / "Makefile"])
    assert len(files) >= 20
    assert not [name for name in files if not (ROOT / name).exists()]


def test_every_test_that_a_promise_is_pinned_by_is_there() -> None:
    there = {
        node.name
        for path in tracked()
        if path.suffix == ".py" and path.relative_to(ROOT).parts[0] in {"unit_tests", "integration_tests"}
        for node in ast.walk(ast.parse(text_of(path)))
        if isinstance(node, ast.FunctionDef)
    }
    pinned = named(r"`(test_\w+)`", documents())
    assert len(pinned) >= 4
    assert pinned <= there


def test_every_section_of_behaviour_md_that_the_code_points_to_is_there() -> None:
    pointed_to = {" ".join(one.split()) for one in named(r'docs/behaviour\.md,\s"([^"]+)"', TEXTS)}
    there = re.findall(r"^## (.+)$", text_of(ROOT / "docs" / "behaviour.md"), re.MULTILINE)
    assert len(pointed_to) >= 3
    assert pointed_to <= set(there)
