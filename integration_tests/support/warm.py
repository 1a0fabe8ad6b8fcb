"""The console script without its start-up: a process that has it imported forks once a command.

Each command is a process of its own, with arguments, environment, output and an exit code, and it can be
killed. What differs from `python -m source_codat.run` is that all imports are done already, and that the
manifest is read and validated.
"""

import gc
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import time
import traceback
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO
from unittest import mock

from integration_tests.support.connector import REPO, files, parse
from source_codat import SourceCodat
from source_codat.http.client import CodatClient
from source_codat.run import run

# What this machine's own environment says of the network is none of a test's business.
_NETWORK = {
    *("http_proxy", "https_proxy", "all_proxy", "no_proxy"),
    *("requests_ca_bundle", "curl_ca_bundle", "netrc"),
}
# A program that hands its arguments, its environment and its three streams on to a command, and signals too.
_STAND_IN = """#!{python} -SE
import contextlib, json, os, signal, socket, sys
def hand_on(number, _):
    with contextlib.suppress(ProcessLookupError):  # the command has ended: its code is on its way
        os.kill(child, number)
with socket.socket(socket.AF_UNIX) as link, link.makefile() as told:
    link.connect({address!r})
    job = {{"args": sys.argv[1:], "folder": os.getcwd(), "env": dict(os.environ)}}
    socket.send_fds(link, [json.dumps(job).encode() + b"\\n"], [0, 1, 2])
    child = int(told.readline())
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, hand_on)
    for number in (0, 1, 2):
        os.close(number)
    code = int(told.readline().split()[0])
if code < 0:
    signal.signal(-code, signal.SIG_DFL)
    os.kill(os.getpid(), -code)
os._exit(code)
"""


class WarmStart:
    """Runs commands; used in a `with` block."""

    def __enter__(self):
        # Not in pytest's folder, whose path may be too long for a socket.
        self._place = tempfile.TemporaryDirectory(prefix="warm-")
        self._address = str(Path(self._place.name, "socket"))
        process = subprocess.Popen(
            [sys.executable, "-m", "integration_tests.support.warm", self._address],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=REPO,
            env={**os.environ, "PYTHONPATH": str(REPO)},
        )
        assert process.stdin
        assert process.stdout
        self._process, self._end, self._ready = process, process.stdin, process.stdout
        self._ready.readline()
        return self

    def __exit__(self, *_):
        self._end.close()
        self._process.wait(timeout=30)
        self._ready.close()
        self._place.cleanup()

    def run(self, command, folder, *extra, env=None, hurried=False, broken=None, **contents):
        """Run a command to its end, as `connector.run` does; what it wrote stays in the folder.

        env: added to the environment. hurried: nothing is slept between tries. broken: a method
        (its dotted name) that raises instead, and what it raises says.
        """
        job = self._job(command, folder, extra, contents, env, hurried=hurried, broken=broken)
        with Path(folder, "stdout").open("wb") as out:
            code = self._start(job, folder, out.fileno()).wait()
        return parse(Path(folder, "stdout").read_bytes(), Path(folder, "stderr").read_bytes(), code)

    def start(self, command, folder, *extra, **contents):
        """Start a command whose output is read while it runs."""
        reading, writing = os.pipe()
        try:
            started = self._start(self._job(command, folder, extra, contents), folder, writing)
        finally:
            os.close(writing)
        started.stdout = os.fdopen(reading, "rb")
        return started

    def stand_in(self, path):
        """Make a program that does what the console script does, for what starts one by its path."""
        path.write_text(_STAND_IN.format(python=sys.executable, address=self._address), encoding="utf-8")
        path.chmod(0o755)
        return path

    @staticmethod
    def _job(command, folder, extra, contents, env=None, **changes):
        own = {name: value for name, value in os.environ.items() if name.lower() not in _NETWORK}
        args = [command, *files(folder, **contents), *extra]
        return {"args": args, "folder": str(folder), "env": {**own, **(env or {})}, **changes}

    def _start(self, job, folder, out):
        link = socket.socket(socket.AF_UNIX)
        link.connect(self._address)
        with Path(folder, "stderr").open("wb") as err, Path(os.devnull).open("rb") as nothing:
            streams = [nothing.fileno(), out, err.fileno()]
            socket.send_fds(link, [json.dumps(job).encode() + b"\n"], streams)
        return Started(link, folder)


class Started:
    """A command that runs: what the tests need of the interface of subprocess.Popen.

    most_memory: what it has had at most, in bytes, once it has ended.
    """

    stdout: BinaryIO
    most_memory: int

    def __init__(self, link, folder):
        self._link, self._folder, self._told = link, folder, link.makefile()
        self.pid = int(self._told.readline())
        self.returncode = None

    def wait_until(self, reached, seconds=120):
        """Wait until something is reached, or the command has ended."""
        end = time.monotonic() + seconds
        while not reached() and self.poll() is None:
            assert time.monotonic() < end, "it is never reached"
            time.sleep(0.005)

    def poll(self):
        if self.returncode is None and select.select([self._link], [], [], 0)[0]:
            self.wait()
        return self.returncode

    def wait(self, timeout=120):
        if self.returncode is None:
            self._link.settimeout(timeout)
            self.returncode, self.most_memory = map(int, self._told.readline().split())
            self._told.close()
            self._link.close()
        return self.returncode

    def communicate(self, timeout=120):
        with self.stdout:
            out = self.stdout.read()
        self.wait(timeout)
        return out, Path(self._folder, "stderr").read_bytes()

    def send_signal(self, number):
        os.kill(self.pid, number)

    def kill(self):
        self.send_signal(signal.SIGKILL)


def _serve(address):
    """Take jobs until stdin is closed; each link gets the command's process id, then exit code and memory."""
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(address)
        server.listen()
        mock.patch("source_codat.run.process.SourceCodat", return_value=SourceCodat()).start()
        gc.freeze()  # a child that collects garbage leaves alone what it shares with this process
        print("ready", flush=True)  # noqa: T201
        while server in select.select([server, sys.stdin], [], [])[0]:
            link, _ = server.accept()
            with link:
                if os.fork() == 0:
                    _keep(link)
            with suppress(ChildProcessError):
                while os.waitpid(-1, os.WNOHANG)[0]:
                    pass


def _keep(link):
    """Fork the command, say its process id, wait for it, and say how it ended."""
    said, streams, _, _ = socket.recv_fds(link, 65536, 3)
    while not said.endswith(b"\n"):
        said += link.recv(65536)
    job = json.loads(said)
    child = os.fork()
    if child == 0:
        link.close()
        _become(job, streams)
    for number in streams:
        os.close(number)
    with suppress(BrokenPipeError):
        link.sendall(f"{child}\n".encode())
        _, status, used = os.wait4(child, 0)
        link.sendall(f"{os.waitstatus_to_exitcode(status)} {used.ru_maxrss << 10}\n".encode())
    os._exit(0)


def _become(job, streams):
    os.chdir(job["folder"])
    os.environ.clear()
    os.environ.update(job["env"])
    for number, mine in enumerate(streams):
        os.dup2(mine, number)
        os.close(mine)
    code = 70
    try:
        _change(job)
        run(job["args"])
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else 1
        sys.stderr.write(ended.code if isinstance(ended.code, str) else "")
    except BaseException:  # noqa: BLE001 - this process mustn't go on as the one that forks
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)


def _change(job):
    sleep = CodatClient._sleep
    if job.get("hurried"):
        mock.patch.object(CodatClient, "_sleep", lambda self, _: sleep(self, 0)).start()
    if job.get("broken"):
        target, words = job["broken"]
        mock.patch(target, mock.Mock(side_effect=RuntimeError(words))).start()


if __name__ == "__main__":
    _serve(sys.argv[1])
