"""A temporary folder that is full or read-only: named, with what to do; the other streams are read."""

import errno
from pathlib import Path

import pytest

from integration_tests.support.connector import read


def full():
    """What the system gives where there is room for a name, and for nothing in it."""
    return Path("/dev/full").open("w+b")


def read_only():
    raise OSError(errno.EROFS, "Read-only file system")


def none_at_all():
    raise FileNotFoundError(errno.ENOENT, "No usable temporary directory found in ['/tmp', '/var/tmp']")


@pytest.mark.parametrize(
    ("kind", "words"),
    [(full, "No space left"), (read_only, "Read-only"), (none_at_all, "No usable temporary directory")],
)
def test_a_temporary_folder_that_takes_nothing_is_named_with_what_to_do(sim, mocker, kind, words):
    mocker.patch("source_codat.reading.row_keys._MEMORY", 0)
    mocker.patch("source_codat.reading.row_keys.tempfile.TemporaryFile", kind)
    mocker.patch("source_codat.reading.row_keys.tempfile.tempdir", "/a/folder")
    said = read(sim, "spend_analysis_suppliers", "invoices", page_size=5)
    [failure] = [one for one in said.errors if one["message"].startswith("spend_")]
    for part in ("The temporary folder '/a/folder'", words, "TMPDIR"):
        assert part in failure["message"]
    assert failure["failure_type"] == "config_error"
    assert said.statuses("invoices")[-1] == "COMPLETE"
