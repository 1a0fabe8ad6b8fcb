"""What was typed behind `source-codat`: a command, its files and its options."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from importlib import metadata

STDIN = "-"
_PACKAGE = "source_codat"
_CONFIG = "the configuration, a JSON file: `spec` shows its fields"
_CATALOG = "the streams to read: what `discover` printed, or a configured catalog"
_MERGED = "a state as `read --state` takes it, such as what a read of one part printed; - for stdin"
_STATE = "where to continue: what an earlier `read` printed, or a list of states"


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
    found = parser.parse_args(list(arguments))
    if not found.command:
        parser.error(f"say what to do: {', '.join(command.value for command in Command)}")
    streams = [name.strip() for given in getattr(found, "streams", None) or () for name in given.split(",")]
    if getattr(found, "streams", None) is not None and not all(streams):
        parser.error("--streams needs the names of streams, with commas between them")
    files = {name: getattr(found, name, None) or "" for name in ("config", "catalog", "state")}
    states = tuple(getattr(found, "states", ()))
    if [*files.values(), *states].count(STDIN) > 1:
        parser.error("only one file can be read from stdin")
    return Arguments(
        Command(found.command),
        streams=tuple(dict.fromkeys(streams)),
        states=states,
        part=getattr(found, "part", None) or "",
        debug=found.debug,
        **files,
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="source-codat",
        description="Read Codat. Every command prints messages of the Airbyte protocol, one a line.",
        epilog="Example: source-codat discover --config c.json > catalog.json; "
        "source-codat read --config c.json --catalog catalog.json > first.jsonl; "
        "source-codat read --config c.json --catalog catalog.json --state first.jsonl > second.jsonl",
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
        sys.stdout.write(f"{parser.prog} {_version()}\n")
        parser.exit()


def _version() -> str:
    try:
        return metadata.version(metadata.packages_distributions()[_PACKAGE][0])
    except KeyError:
        return "(not installed)"
