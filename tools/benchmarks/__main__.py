"""Measure source-codat against the contract's bars: `python -m tools.benchmarks`, or `make bench`."""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import os
import platform
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from tools.benchmarks import (
    FOLDER,
    ROOT,
    children,
    comparison,
    large_state,
    latency,
    memory,
    scale,
    state_size,
    table,
    unchanged,
)
from tools.benchmarks.client_process import ClientFailedError
from tools.benchmarks.table import Figure

Run = Callable[[Path, int, bool, Callable[[str], None]], Iterable[Figure]]
RUNS: dict[str, Run] = {
    "comparison": comparison.compare,
    "latency": latency.measure,
    "unchanged": unchanged.measure,
    "memory": memory.measure,
    "state_size": state_size.measure,
    "large_state": large_state.measure,
    "children": children.measure,
    "scale": scale.measure,
}
README = ROOT / "tools" / "benchmarks" / "README.md"
_BEGIN, _END = "<!-- table: python -m tools.benchmarks --write -->\n", "<!-- end of table -->"


def main(arguments: list[str] | None = None) -> int:
    """Run what was asked for: 0 when every figure was measured and, in a full run, every bar met."""
    given = _parse(arguments)
    began = time.monotonic()
    FOLDER.mkdir(exist_ok=True)
    figures: list[Figure] = []
    with tempfile.TemporaryDirectory(dir=FOLDER, prefix="run-") as folder:
        for name in given.only or RUNS:
            print(f"== {name}", flush=True)
            try:
                figures += RUNS[name](Path(folder), given.repeat, given.quick, _tell)
            except ClientFailedError as error:
                figures.append(Figure(name, None, "", note=f"failed: {error}"[:200]))
                _tell(str(error))
    seconds = time.monotonic() - began
    for path in given.add:
        earlier = json.loads(path.read_text(encoding="utf-8"))
        figures += table.from_json(earlier)
        seconds += earlier["about"]["seconds"]
    about = _about(seconds, given)
    judged = not given.quick
    text = f"{_sentence(about)}\n\n{table.markdown(figures, judged)}\n"
    print(f"\n{text}\nHow to read it: tools/benchmarks/README.md")
    if given.json:
        content = json.dumps(table.as_json(figures, about, judged), indent=2, ensure_ascii=False)
        given.json.write_text(content + "\n", encoding="utf-8")
    if given.write:
        _write(text)
    wrong = any(one.value is None or (judged and one.met is False) for one in figures)
    return 1 if wrong else 0


def _parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tools.benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small sizes, no verdicts: does it still run?")
    parser.add_argument("--only", action="append", choices=list(RUNS), help="one run (may be repeated)")
    parser.add_argument("--repeat", type=int, default=3, help="how often what varies is measured")
    parser.add_argument("--json", type=Path, metavar="PATH", help="write the figures as JSON")
    parser.add_argument(
        "--add",
        action="append",
        default=[],
        type=Path,
        metavar="PATH",
        help="put the figures of an earlier run's JSON below (may be repeated)",
    )
    parser.add_argument("--write", action="store_true", help="put the table into tools/benchmarks/README.md")
    given = parser.parse_args(arguments)
    if given.repeat < 1:
        parser.error("--repeat must be at least 1")
    if given.write and (given.quick or (given.only and not given.add)):
        parser.error("--write takes a whole run: without --quick, and with --only and --add or neither")
    return given


def _tell(text: str) -> None:
    print(f"   {text}", flush=True)


def _about(seconds: float, given: argparse.Namespace) -> dict[str, Any]:
    return {
        "date": datetime.now(timezone.utc).strftime("%Y-%m-%d"),
        "cores": os.cpu_count(),
        "machine": platform.machine(),
        "system": platform.system(),
        "python": platform.python_version(),
        "airbyte-cdk": importlib.metadata.version("airbyte-cdk"),
        "seconds": round(seconds),
        "repeat": given.repeat,
        "quick": given.quick,
    }


def _sentence(about: dict[str, Any]) -> str:
    quick = " Quick: sizes are too small to judge by." if about["quick"] else ""
    return (
        f"Measured on {about['date']}, {about['system']} {about['machine']}, {about['cores']} cores, "
        f"CPython {about['python']}, airbyte-cdk {about['airbyte-cdk']}, in {about['seconds']} s.{quick}"
    )


def _write(text: str) -> None:
    content = README.read_text(encoding="utf-8")
    before, _, rest = content.partition(_BEGIN)
    _, _, after = rest.partition(_END)
    README.write_text(f"{before}{_BEGIN}{text}{_END}{after}", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
