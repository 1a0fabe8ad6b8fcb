"""The console script without its start-up: a process that has it imported forks once a command.

The table of mistakes runs it a hundred times; each fork has arguments, environment, files for
stdout and stderr and an exit code of its own, like any process.
"""

import json
import os
import subprocess
import sys
import traceback
from pathlib import Path
from unittest import mock

from integration_tests.support.connector import REPO, files, parse
from source_codat.http.client import CodatClient
from source_codat.run import run

# What this machine's own environment says of the network is none of a test's business.
_NETWORK = {
    *("http_proxy", "https_proxy", "all_proxy", "no_proxy"),
    *("requests_ca_bundle", "curl_ca_bundle", "netrc"),
}


class WarmStart:
    """Runs commands one after the other; used in a `with` block."""

    def __enter__(self):
        process = subprocess.Popen(
            [sys.executable, "-m", "integration_tests.support.warm"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=REPO,
            text=True,
            env={**os.environ, "PYTHONPATH": str(REPO)},
        )
        assert process.stdin
        assert process.stdout
        self._process, self._jobs, self._codes = process, process.stdin, process.stdout
        return self

    def __exit__(self, *_):
        self._jobs.close()
        self._process.wait(timeout=30)
        self._codes.close()

    def run(self, command, folder, *extra, env=None, hurried=False, broken=None, **contents):
        """Run a command to its end, as `connector.run` does; what it wrote stays in the folder.

        env: added to the environment. hurried: nothing is slept between tries. broken: a method
        (its dotted name) that raises instead, and what it raises says.
        """
        args = [command, *files(folder, **contents), *extra]
        own = {name: value for name, value in os.environ.items() if name.lower() not in _NETWORK}
        job = {"args": args, "folder": str(folder), "env": {**own, **(env or {})}}
        job.update(hurried=hurried, broken=broken)
        self._jobs.write(json.dumps(job) + "\n")
        self._jobs.flush()
        code = int(self._codes.readline())
        return parse(Path(folder, "stdout").read_bytes(), Path(folder, "stderr").read_bytes(), code)


def _serve():
    for line in sys.stdin:
        job = json.loads(line)
        child = os.fork()
        if child == 0:
            _become(job)
        sys.stdout.write(f"{os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])}\n")
        sys.stdout.flush()


def _become(job):
    os.chdir(job["folder"])
    os.environ.clear()
    os.environ.update(job["env"])
    for number, name in ((1, "stdout"), (2, "stderr")):
        os.dup2(os.open(name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
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
    if job["hurried"]:
        mock.patch.object(CodatClient, "_sleep", lambda self, _: sleep(self, 0)).start()
    if job["broken"]:
        target, words = job["broken"]
        mock.patch(target, mock.Mock(side_effect=RuntimeError(words))).start()


if __name__ == "__main__":
    _serve()
