"""How the parts of source_codat import one another, as a table: `make structure`.

A part is a package or a module that stands directly in source_codat. An arrow is a pair of parts of which one
imports the other; floors count the longest chain of arrows. unit_tests/test_structure.py keeps all three
numbers within bounds.
"""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import grimp

PACKAGE = "source_codat"
_COLUMNS = 80  # of a terminal


@dataclass(frozen=True)
class Structure:
    """The parts of a package, and for each the other parts that it imports."""

    imports: Mapping[str, frozenset[str]]

    @property
    def arrows(self) -> int:
        """How many pairs of parts there are of which one imports the other."""
        return sum(map(len, self.imports.values()))

    @cached_property
    def floors(self) -> Mapping[str, int]:
        """The floor of each part: 1 where it imports no other, else one above the highest that it imports.

        Parts in a circle, and those above them, have no floor and are left out.
        """
        found: dict[str, int] = {}
        while True:
            ready = [
                part
                for part, imported in self.imports.items()
                if part not in found and imported <= found.keys()
            ]
            if not ready:
                return found
            found.update(
                {part: 1 + max((found[one] for one in self.imports[part]), default=0) for part in ready}
            )

    @property
    def without_floor(self) -> set[str]:
        """The parts in circles of imports, and those that import them."""
        return self.imports.keys() - self.floors.keys()

    def __str__(self) -> str:
        """The table, the highest floor first; then the numbers."""
        width = max(map(len, self.imports))
        lines = [f"floor  {'part':<{width}}  imports"]
        for part in sorted(self.imports, key=lambda part: (-self.floors.get(part, 99), part)):
            imported = ", ".join(sorted(self.imports[part])) or "-"
            head = f"{self.floors.get(part, '-'):>5}  {part:<{width}}  "
            lines.append(textwrap.fill(head + imported, _COLUMNS, subsequent_indent=" " * len(head)))
        highest = max(self.floors.values(), default=0)
        numbers = f"{len(self.imports)} parts on {highest} floors, with {self.arrows} arrows between them"
        return "\n".join((*lines, "", numbers))


def structure_of(package: str) -> Structure:
    """Read the structure off a package's imports, those for types alone included."""
    graph = grimp.build_graph(package)
    parts = graph.find_children(package)
    imports: dict[str, set[str]] = {part.rpartition(".")[2]: set() for part in parts}
    for module in graph.modules - {package}:
        part = module.split(".")[1]
        for imported in graph.find_modules_directly_imported_by(module) - {package}:
            imports[part].add(imported.split(".")[1])
    return Structure({part: frozenset(imported - {part}) for part, imported in imports.items()})


def main() -> int:
    """Print the table; 1 where imports go in circles."""
    structure = structure_of(PACKAGE)
    print(structure)
    if structure.without_floor:
        print(f"Imports go in circles: {', '.join(sorted(structure.without_floor))}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
