"""Four programs that read the same invoices."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tools.benchmarks import ROOT, connector, tap
from tools.benchmarks.server import Server

_FOLDER = ROOT / "tools" / "benchmarks"
# The console script `source-declarative-manifest`, found without knowing where scripts are installed.
_STOCK = ("-c", "from airbyte_cdk.cli.source_declarative_manifest import run; run()")

Command = list[str | Path]


@dataclass(frozen=True)
class Program:
    """A program to measure.

    command: takes a server and a folder for files; returns the command line. turns: how often it runs for
    each repetition, as short runs need more of them. install: makes it ready, or raises NotInstalledError.
    """

    name: str
    command: Callable[[Server, Path], Command]
    turns: int = 1
    install: Callable[[], None] = lambda: None


def _source_codat(server: Server, folder: Path) -> Command:
    return connector.command(server, folder, ["invoices"], page_size=500)


def _stock(server: Server, folder: Path) -> Command:
    folder.mkdir(parents=True, exist_ok=True)
    settings = {"api_key": server.api_key, "base_url": server.url, "start_date": tap.START}
    config = connector.write(folder, "config", settings)
    chosen = connector.write(folder, "catalog", connector.catalog(["invoices"]))
    files: Command = ["--config", config, "--catalog", chosen]
    return [sys.executable, *_STOCK, "read", *files, "--manifest-path", _FOLDER / "stock_manifest.yaml"]


def _bare_loop(server: Server, _: Path) -> Command:
    return [sys.executable, _FOLDER / "bare_loop.py", server.url, server.api_key]


SOURCE_CODAT = Program("source-codat", _source_codat, turns=3)
BARE_LOOP = Program("bare loop", _bare_loop, turns=3)
STOCK = Program("stock manifest", _stock)
TAP = Program(f"tap-codat {tap.VERSION}", tap.command, install=tap.install)
ALL = (SOURCE_CODAT, BARE_LOOP, STOCK, TAP)
