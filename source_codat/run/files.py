"""The files that a command is given: found, decoded, and Airbyte's messages found among their lines."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import msgspec
from airbyte_cdk.models import Type

from source_codat.foundation.errors import ConfigError
from source_codat.run.arguments import STDIN

# How a file of each kind comes to be, for where there is none or nothing in it.
_MADE_BY = {
    "configuration": 'write {"api_key": "<your key>"} into it (`source-codat spec` shows all fields)',
    "catalog": "write into it what `source-codat discover` prints",
    "state": "write into it what an earlier `source-codat read` printed",
}
_TYPES = {kind.value for kind in Type}
BOM = b"\xef\xbb\xbf"
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
# How Python's words for what is wrong begin, and ours. Nothing of the file is quoted: it may be the key.
_FAULTS = {
    "Expecting value": "a value is missing, or isn't written as JSON writes it",
    "Expecting property name": "the name of a field is missing, or isn't in double quotes",
    "Expecting ',' delimiter": "a comma or a closing bracket is missing",
    "Expecting ':' delimiter": "a colon is missing",
    "Extra data": "something follows after the end",
    "Unterminated string": "a text that begins here isn't closed",
    "Invalid control character": "a text has a line break or another control character in it",
    "Invalid \\": "a text has a backslash that isn't doubled",
}


class File:
    """One file that a command was given; kind: "configuration", "catalog" or "state", for messages."""

    def __init__(self, path: str, kind: str) -> None:
        self._path = path
        self._kind = kind
        self.label = f"The {kind} from stdin" if path == STDIN else f"The {kind} file '{path}'"
        if path.lstrip()[:1] in ("{", "["):  # its contents, the key among them, aren't repeated
            raise ConfigError(f"The {kind} was given itself: write it to a file and give that file's name.")

    @contextmanager
    def open(self) -> Iterator[IO[bytes]]:
        """The file's bytes; raises ConfigError where it can't be read, also in the midst of it."""
        try:
            if self._path == STDIN:
                yield sys.stdin.buffer
            else:
                with Path(self._path).open("rb") as file:
                    yield file
        except (FileNotFoundError, ValueError):  # ValueError: a NUL in the name
            raise ConfigError(
                f"There is no {self._kind} file '{self._path}': check its name and the folder that you are "
                f"in, or {_MADE_BY[self._kind]}."
            ) from None
        except IsADirectoryError:
            raise ConfigError(f"{self.label} is a folder: give the name of a file in it.") from None
        except OSError as error:
            reason = error.strerror or type(error).__name__
            raise ConfigError(
                f"{self.label} can't be read ({reason}): let this user read it, or give another file."
            ) from None

    def is_stdout(self) -> bool:
        """Whether the command writes into the file that it is to read."""
        try:
            return self._path != STDIN and os.path.samestat(os.fstat(1), Path(self._path).stat())
        except (OSError, ValueError):
            return False

    def text(self) -> str:
        """The whole file, without its byte order mark; raises ConfigError where it isn't UTF-8."""
        with self.open() as file:
            return self._decoded(file.read())

    def json(self) -> Any:
        """What the file holds; raises ConfigError with line and column where that isn't JSON."""
        with self.open() as file:
            content = file.read()
        return self.parsed(content)

    def parsed(self, content: bytes | str) -> Any:
        """The value of a JSON text; raises ConfigError where it is none."""
        try:
            return msgspec.json.decode(content.removeprefix(BOM) if isinstance(content, bytes) else content)
        except (ValueError, RecursionError):
            # What is rare, NaN or a number of a thousand digits, Python can read: and it tells the place.
            text = self._decoded(content) if isinstance(content, bytes) else content
        if not text.strip():
            raise ConfigError(f"{self.label} is empty: {self._instead_of_nothing()}.")
        try:
            return json.loads(text)
        except json.JSONDecodeError as error:
            raise ConfigError(f"{self.label} isn't valid JSON: {_fault(error)}.") from None
        except (RecursionError, ValueError):  # nested too deeply; a number of thousands of digits
            raise ConfigError(f"{self.label} isn't JSON that can be used: correct it.") from None

    def _instead_of_nothing(self) -> str:
        if self._path == STDIN:
            return "the command before the | has printed nothing; run it alone to see why"
        return f"{_MADE_BY[self._kind]}. Where a command did write it, that one has failed: run it again"

    def _decoded(self, content: bytes) -> str:
        if content.startswith(_UTF16) or b"\0" in content[:4]:
            raise ConfigError(f"{self.label} is in UTF-16: save it as UTF-8.")
        content = content.removeprefix(BOM)
        try:
            return content.decode()
        except UnicodeDecodeError as error:
            line = content.count(b"\n", 0, error.start) + 1
            raise ConfigError(
                f"{self.label} isn't in UTF-8, as its line {line} shows: save it as UTF-8."
            ) from None

    def refused(self, wanted: str) -> ConfigError:
        """What to say of a file that holds something else; `wanted` says what to give."""
        return ConfigError(f"{self.label} {wanted}")


def _fault(error: json.JSONDecodeError) -> str:
    """Where it is wrong, and how."""
    at = len(error.doc[: error.pos].rstrip()) - 1
    here = error.doc[error.pos : error.pos + 1]
    if error.doc[at : at + 1] == "," and here in ("}", "]"):
        what, place = f"there is a comma before the closing '{here}'", at
    elif here == "," and error.msg.startswith("Illegal trailing comma"):  # Python 3.13 and later
        what, place = "there is a comma before a closing bracket", error.pos
    else:
        what = next((ours for words, ours in _FAULTS.items() if error.msg.startswith(words)), "correct it")
        place = error.pos
    line = error.doc.count("\n", 0, place) + 1
    column = place - error.doc.rfind("\n", 0, place)
    return f"line {line}, column {column}: {what}"


def is_message(value: Any) -> bool:
    """Whether a value is a message of the protocol."""
    return isinstance(value, dict) and value.get("type") in _TYPES


def messages(lines: Iterable[str | bytes]) -> Iterator[dict[str, Any]]:
    """The messages among lines; a line that was cut off, or that another program wrote, is passed over."""
    for line in lines:
        try:
            value = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if is_message(value):
            yield value
