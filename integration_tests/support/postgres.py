"""A PostgreSQL of a test's own: on loopback, in a temporary folder, without a password."""

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

INSTALLED = Path("/usr/lib/postgresql")


def _programs() -> Path:
    """The newest installed server's programs."""
    found = [path.parent for path in INSTALLED.glob("*/bin/initdb")]
    if not found:
        pytest.skip(f"no PostgreSQL server is installed under {INSTALLED}")
    return max(found, key=lambda path: float(path.parent.name))


def _as_server_user() -> list[str]:
    """What goes before a command: PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return []
    if not shutil.which("runuser"):
        pytest.skip("PostgreSQL doesn't run as root, and there is no runuser to be another user with")
    return ["runuser", "-u", "postgres", "--"]


@contextmanager
def postgresql() -> Iterator[str]:
    """Start a server; the value is the address of its database."""
    programs, prefix = _programs(), _as_server_user()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    # Not in pytest's folder, which no other user can enter.
    folder = Path(tempfile.mkdtemp(prefix="pg-"))

    def run(program: str, *arguments: str) -> None:
        done = subprocess.run(
            [*prefix, str(programs / program), *arguments],
            check=False,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            timeout=120,
            cwd=folder,
        )
        assert done.returncode == 0, done.stderr

    try:
        if prefix:
            shutil.chown(folder, "postgres")
        data = str(folder / "data")
        run("initdb", "-D", data, "-U", "loader", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
        options = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1 -c fsync=off"
        run("pg_ctl", "-D", data, "-w", "-l", str(folder / "log"), "-o", options, "start")
        try:
            yield f"postgresql://loader@127.0.0.1:{port}/postgres"
        finally:
            run("pg_ctl", "-D", data, "-w", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
