"""Build the wheel and the sdist, and try them as users get them: `make release-check`.

For every Python that can be found, and once with the lowest versions that setup.py allows, the wheel goes
into a fresh environment; `spec`, `discover` and a read against the simulator then run from outside the
checkout: every stream has to bring rows. Then the sdist takes the wheel's place, and has to say the same.
"""

from __future__ import annotations

import argparse
import ast
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from codat_simulator import Simulator

ROOT = Path(__file__).resolve().parent.parent.parent
PYTHONS = ("3.10", "3.11", "3.12", "3.13")
LOWEST = "3.10"
MANIFEST = ROOT / "source_codat" / "manifest.yaml"


class FailedError(Exception):
    """Something is wrong with what was built; the text says what."""


@dataclass
class Environment:
    """One environment to try.

    python: the interpreter's path, empty where it wasn't found. packages: what pip installs. sdist: what
    takes the wheel's place afterwards.
    """

    title: str
    python: str
    packages: Sequence[str]
    sdist: Path


def main() -> int:
    """Build, then try each Python; 0 when all that could be tried are well."""
    parser = argparse.ArgumentParser(prog="make release-check")
    parser.add_argument("--only", help="one Python version instead of all")
    only = parser.parse_args().only
    failed = skipped = 0
    with tempfile.TemporaryDirectory(prefix="release-") as name, Simulator(2, 11, 12) as simulator:
        place = Path(name)
        wheel, sdist = _build(place)
        _say(f"{wheel.name} and {sdist.name}", "built")
        for environment in _environments(wheel, sdist, only):
            if not environment.python:
                skipped += 1
                _say(
                    environment.title,
                    "skipped: this Python wasn't found (name it by PYTHON3_13=/path/to/python)",
                )
                continue
            started = time.monotonic()
            try:
                outcome = _try(environment, place, simulator)
            except FailedError as error:
                failed += 1
                _say(environment.title, f"FAILED\n{error}")
            else:
                _say(environment.title, f"{outcome}, {time.monotonic() - started:.0f} s")
    print(f"\n{failed} failed, {skipped} skipped")
    return 1 if failed else 0


def _environments(wheel: Path, sdist: Path, only: str | None) -> list[Environment]:
    wanted = [one for one in PYTHONS if only in (None, one)]
    found = [Environment(f"Python {one}", _python(one), [str(wheel)], sdist) for one in wanted]
    if only in (None, LOWEST):
        lowest = [str(wheel), *_lowest()]
        named = ", ".join(lowest[1:])
        found.append(
            Environment(f"Python {LOWEST}, lowest versions: {named}", _python(LOWEST), lowest, sdist)
        )
    return found


def _python(version: str) -> str:
    """Find a Python: named in the environment, made by pyenv, or on the path; "" where there is none."""
    known = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    candidates = [
        os.environ.get("PYTHON" + version.replace(".", "_"), ""),
        *(str(path) for path in sorted(known.glob(f"{version}.*/bin/python{version}"), reverse=True)),
        shutil.which(f"python{version}") or "",
        sys.executable,
    ]
    code = f"import sys, ensurepip; sys.exit('%d.%d' % sys.version_info[:2] != {version!r})"
    for one in candidates:
        if one and subprocess.run([one, "-c", code], check=False, capture_output=True).returncode == 0:
            return one
    return ""


def _lowest() -> list[str]:
    """Return the lowest version of each dependency that setup.py allows."""
    text = (ROOT / "setup.py").read_text(encoding="utf-8")
    found = {match[1]: match[2] for match in re.finditer(r'"([a-z\d-]+)>=([\d.]+)', text)}
    [needs] = re.findall(r"install_requires=(\[.+?\])", text)
    names = ["airbyte-cdk", *re.findall(r'"([a-z\d-]+)>=', needs)]
    return [f"{name}=={found[name]}" for name in names]


def _build(place: Path) -> tuple[Path, Path]:
    """Build from a copy of what git has, so that nothing left lying about gets in."""
    source = place / "source"
    listed = _run(["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"], ROOT)
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, source / name)
    _run([sys.executable, "-m", "build", "--outdir", str(place / "dist"), str(source)], place)
    [wheel], [sdist] = (place / "dist").glob("*.whl"), (place / "dist").glob("*.tar.gz")
    version = _version()
    if f"-{version}-" not in wheel.name or f"-{version}.tar" not in sdist.name:
        raise FailedError(f"{wheel.name} and {sdist.name} should have the version {version}")
    return wheel, sdist


def _version() -> str:
    """Return the one version number; `unit_tests/test_packaging.py` holds every other place to it."""
    tree = ast.parse((ROOT / "setup.py").read_text(encoding="utf-8"))
    [version] = [
        node.value.value
        for node in ast.walk(tree)
        if isinstance(node, ast.keyword) and node.arg == "version" and isinstance(node.value, ast.Constant)
    ]
    return str(version)


def _try(environment: Environment, place: Path, simulator: Simulator) -> str:
    """Install into a fresh environment and use it from an empty folder; return how it went, in words."""
    folder = Path(tempfile.mkdtemp(dir=place))
    _run([environment.python, "-m", "venv", str(folder / "venv")], folder)
    python, command = folder / "venv/bin/python", folder / "venv/bin/source-codat"
    pip = [str(python), "-m", "pip", "--disable-pip-version-check"]
    _run([*pip, "install", "-q", *environment.packages], folder)
    _run([*pip, "check"], folder)

    config, catalog = folder / "config.json", folder / "catalog.json"
    config.write_text(json.dumps({"api_key": simulator.api_key, "base_url": simulator.url}))
    told = spec, found = _spec_and_discover(command, config, folder)
    if "api_key" not in spec["spec"]["connectionSpecification"]["required"]:
        raise FailedError("the spec doesn't ask for api_key")
    streams = {one["name"]: one for one in found["catalog"]["streams"]}
    # One more than the manifest has rows: read_outcomes isn't Codat's.
    expected = len(yaml.safe_load(MANIFEST.read_text(encoding="utf-8"))["streams"]) + 1
    if len(streams) != expected:
        raise FailedError(f"discover shows {len(streams)} streams, not {expected}")
    configured = [
        {"stream": streams[name], "sync_mode": "full_refresh", "destination_sync_mode": "overwrite"}
        for name in streams
    ]
    catalog.write_text(json.dumps({"streams": configured}))
    out = _run([str(command), "read", "--config", str(config), "--catalog", str(catalog)], folder)
    read = [one["record"]["stream"] for one in _messages(out, "RECORD")]
    if set(read) != set(streams):
        raise FailedError(f"the read brought nothing of {sorted(set(streams) - set(read))}")
    _run([*pip, "install", "-q", "--no-deps", "--force-reinstall", str(environment.sdist)], folder)
    if _spec_and_discover(command, config, folder) != told:
        raise FailedError("installed from the sdist, spec or discover say something else")
    exact = _run([str(python), "-c", "import sys; print('.'.join(map(str, sys.version_info[:3])))"], folder)
    shutil.rmtree(folder)
    return f"well: {exact.strip()}, {len(streams)} streams, {len(read)} records"


def _spec_and_discover(command: Path, config: Path, folder: Path) -> tuple[Any, Any]:
    """Return the messages of the two commands."""
    [spec] = _messages(_run([str(command), "spec"], folder), "SPEC")
    [found] = _messages(_run([str(command), "discover", "--config", str(config)], folder), "CATALOG")
    return spec, found


def _messages(output: str, kind: str) -> list[Any]:
    found = [json.loads(line) for line in output.split("\n") if line.startswith("{")]
    return [one for one in found if one["type"] == kind]


def _run(command: list[str], folder: Path) -> str:
    """Run a command outside the checkout's reach: no PYTHONPATH."""
    kept = {name: value for name, value in os.environ.items() if name not in {"PYTHONPATH", "PYTHONHOME"}}
    done = subprocess.run(
        command, check=False, capture_output=True, text=True, cwd=folder, env=kept, timeout=900
    )
    if done.returncode:
        raise FailedError(f"{' '.join(command)}\n{(done.stdout + done.stderr)[-1500:]}")
    return done.stdout


def _say(title: str, outcome: str) -> None:
    print(f"{title}: {outcome}", flush=True)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except FailedError as problem:
        sys.exit(str(problem))
