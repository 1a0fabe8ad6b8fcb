"""What was typed behind `source-codat`: a command, its files and its options."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from importlib import metadata
from typing import Any

from source_codat.foundation.wording import cannot_write, did_you_mean

STDIN = "-"
_PACKAGE = "source_codat"
_CONFIG = "the configuration, a JSON file: `spec` shows its fields"
_CATALOG = "the streams to read: what `discover` printed, or a configured catalog"
_MERGED = "a state as `read --state` takes it, such as what a read of one part printed; - for stdin"
_STATE = "where to continue: what an earlier `read` printed, or a list of states"


_EXAMPLE = """\
for example:
  source-codat discover --config c.json > all.json
  source-codat read --config c.json --catalog all.json > 1.jsonl
  source-codat read --config c.json --catalog all.json --state 1.jsonl > 2.jsonl"""


class Command(Enum):
    """What the connector can be asked to do."""

    SPEC = "spec"
    CHECK = "check"
    DISCOVER = "discover"
    READ = "read"
    MERGE_STATES = "merge-states"


_HELP = {
    Command.SPEC: "print the fields of a configuration",
    Command.CHECK: "try a configuration, with a few requests to Codat",
    Command.DISCOVER: "print the streams and their schemas: a catalog for `read`",
    Command.READ: "read streams, and print their records and states",
    Command.MERGE_STATES: "make one state of several, as a new number of parts needs it",
}


@dataclass(frozen=True)
class Arguments:
    """The arguments of one command; files are paths, or "-" for stdin, or "" where there is none.

    streams: the only streams to read, empty for all that the catalog has. states: the files to merge.
    part: only whose companies' entries the merged state has, empty for all.
    """

    command: Command
    config: str = ""
    catalog: str = ""
    state: str = ""
    streams: tuple[str, ...] = ()
    states: tuple[str, ...] = ()
    part: str = ""
    debug: bool = False


def parse(arguments: Sequence[str]) -> Arguments:
    """Take the arguments apart; prints help, the version or what is wrong, and exits, where that is due."""
    parser = _parser()
    named = next((argument for argument in arguments if not argument.startswith("-")), "")
    known = [command.value for command in Command]
    if named and named not in known:
        meant = did_you_mean(named, known) or f"; there are {', '.join(known)}"
        parser.error(f"there is no command '{named}'{meant}")
    found = parser.parse_args(list(arguments))
    if not found.command:
        parser.error(f"say what to do: {', '.join(command.value for command in Command)}")
    streams = [name.strip() for given in getattr(found, "streams", None) or () for name in given.split(",")]
    if getattr(found, "streams", None) is not None and not all(streams):
        parser.error("--streams needs the names of streams, with commas between them")
    files = {name: getattr(found, name, None) or "" for name in ("config", "catalog", "state")}
    states = tuple(getattr(found, "states", ()))
    if [*files.values(), *states].count(STDIN) > 1:
        parser.error("only one file can be read from stdin (-): give the names of the others")
    return Arguments(
        Command(found.command),
        streams=tuple(dict.fromkeys(streams)),
        states=states,
        part=getattr(found, "part", None) or "",
        debug=found.debug,
        **files,
    )


class _Parser(argparse.ArgumentParser):
    """Fails where its help can't be written, as every command does."""

    def print_help(self, file: Any = None) -> None:
        if file is None:
            _print(self.format_help())
        else:
            super().print_help(file)


def _print(text: str) -> None:
    """Write a text to stdout; ends the process with 1 where that can't be done."""
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        os._exit(1)  # there is nobody to tell, and the rest of the text can't leave either
    except OSError as error:
        sys.stderr.write(f"{cannot_write(error)}\n")
        os._exit(1)


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="source-codat",
        description="Read Codat. Every command prints messages of the Airbyte protocol, one a line.",
        epilog=_EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action=_PrintVersion, nargs=0, help="print the version and exit")
    commands = parser.add_subparsers(title="commands", dest="command", metavar="command")
    for command, text in _HELP.items():
        command_parser = commands.add_parser(
            command.value, help=text, description=f"{text[0].upper()}{text[1:]}."
        )
        command_parser.add_argument("--debug", action="store_true", help="print more of what happens")
        if command is Command.MERGE_STATES:
            command_parser.add_argument("states", nargs="+", metavar="FILE", help=_MERGED)
            command_parser.add_argument(
                "--part", metavar="K/N", help="keep only what the companies of this part need, such as 3/12"
            )
        elif command is not Command.SPEC:
            command_parser.add_argument(
                "--config", required=True, metavar="FILE", help=f"{_CONFIG}, or - for stdin"
            )
        if command is Command.READ:
            command_parser.add_argument(
                "--catalog", required=True, metavar="FILE", help=f"{_CATALOG}, or - for stdin"
            )
            command_parser.add_argument("--state", metavar="FILE", help=f"{_STATE}, or - for stdin")
            command_parser.add_argument(
                "--streams",
                action="append",
                metavar="NAMES",
                help="read only these streams of the catalog, with commas between their names",
            )
    return parser


class _PrintVersion(argparse.Action):
    """Prints the version, which is looked up only now: that goes through every installed package."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        _print(f"{parser.prog} {_version()}\n")
        parser.exit()


def _version() -> str:
    try:
        return metadata.version(metadata.packages_distributions()[_PACKAGE][0])
    except KeyError:
        return "(not installed)"
