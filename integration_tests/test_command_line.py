"""The commands as somebody types them: pipes and files between them, help, and what stands on stderr."""

import json
import os
import pty
import subprocess

import pytest

from codat_simulator import Simulator
from integration_tests.support.connector import catalog, config, files, parse
from integration_tests.support.image import METADATA
from integration_tests.support.sentences import assert_sentence, failure
from source_codat.run.arguments import Command
from source_codat.run.arguments import parse as parsed


@pytest.fixture
def small():
    with Simulator(companies=1, seed=7, records=3) as simulator:
        yield simulator


@pytest.fixture
def typed(program):
    """Give the function that runs the program with arguments, and returns what it says with its code."""

    def run_program(*arguments, **options):
        piped = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options}
        return subprocess.run([program, *arguments], check=False, timeout=120, **piped)

    return run_program


def test_discover_read_and_read_again_are_three_commands_with_files_between(small, program, tmp_path):
    (tmp_path / "c.json").write_text(json.dumps(config(small)))
    script = (
        "source-codat discover --config c.json > catalog.json;"
        "source-codat read --config c.json --catalog catalog.json > first.jsonl;"
        "source-codat read --config c.json --catalog catalog.json --state first.jsonl > second.jsonl"
    ).replace("source-codat", program)
    done = subprocess.run(["sh", "-euc", script], check=False, capture_output=True, cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    first, second = (parse((tmp_path / f"{name}.jsonl").read_bytes()) for name in ("first", "second"))
    discovered = parse((tmp_path / "catalog.json").read_bytes()).of("CATALOG")[0]["streams"]
    for one in discovered:
        assert first.statuses(one["name"])[-1] == second.statuses(one["name"])[-1] == "COMPLETE"
    assert first.records("invoices")
    assert second.records("invoices") == []  # incremental: nothing has changed
    assert second.records("companies")  # read whole


def test_streams_narrow_what_discover_printed(small, script, tmp_path):
    script.run("discover", tmp_path, config=config(small))
    printed = (tmp_path / "stdout").read_text()
    said = script.run(
        "read", tmp_path, "--streams", "invoices, companies", config=config(small), catalog=printed
    )
    assert (said.code, said.unparsed) == (0, [])
    assert {one["stream_status"]["stream_descriptor"]["name"] for one in said.of("TRACE")} == {
        "invoices",
        "companies",
    }


@pytest.mark.parametrize("name", ["catalog", "state"])
def test_a_catalog_and_a_state_are_read_from_stdin(small, script, typed, tmp_path, name):
    contents = {"config": config(small), "catalog": catalog("invoices")}
    contents["state"] = script.run("read", tmp_path, **contents).state
    given = json.dumps(contents.pop(name)).encode()
    done = typed("read", *files(tmp_path, **contents), f"--{name}", "-", input=given)
    said = parse(done.stdout, done.stderr, done.returncode)
    assert (said.code, said.unparsed, said.stderr) == (0, [], "")
    assert said.statuses("invoices")[-1] == "COMPLETE"
    assert said.records("invoices") == []


def test_only_one_file_comes_from_stdin(typed, tmp_path):
    done = typed("read", *files(tmp_path, config={}), "--catalog", "-", "--state", "-", input=b"{}")
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1] == (
        b"source-codat: error: only one file can be read from stdin (-): give the names of the others"
    )


def test_a_state_that_the_read_writes_into_is_not_emptied_in_silence(small, script, tmp_path):
    (tmp_path / "stdout").write_text("[]")
    extra = ["--state", str(tmp_path / "stdout")]
    said = script.run("read", tmp_path, *extra, config=config(small), catalog=catalog("invoices"))
    assert_sentence(failure(said), "is also what this command writes to")


@pytest.mark.parametrize("argument", ["--version", "--help"])
def test_help_and_version_are_plain_text_with_nothing_before_them(typed, argument):
    done = typed(argument)
    assert (done.returncode, done.stderr) == (0, b"")
    first = {
        "--version": f"source-codat {METADATA['dockerImageTag']}\n",
        "--help": "usage: source-codat ",
    }
    assert done.stdout.decode().startswith(first[argument])


@pytest.mark.parametrize(
    ("mistyped", "told"),
    [
        ("chekc", " (did you mean 'check'?)"),
        ("merge_states", " (did you mean 'merge-states'?)"),
        ("xyz", "; there are spec, check, discover, read, merge-states"),
    ],
)
def test_a_command_that_is_nearly_right_is_told_the_right_one(typed, mistyped, told):
    done = typed(mistyped)
    assert (done.returncode, done.stdout) == (2, b"")
    assert (
        done.stderr.decode().splitlines()[-1]
        == f"source-codat: error: there is no command '{mistyped}'{told}"
    )


def test_the_help_shows_three_commands_that_fit_a_terminal_and_can_be_copied(typed):
    shown = typed("--help", env={**os.environ, "COLUMNS": "80"}).stdout.decode()
    assert max(map(len, shown.splitlines())) <= 80
    copied = [line.strip() for line in shown.splitlines() if line.startswith("  source-codat ")]
    assert [parsed(line.split(" > ")[0].split()[1:]).command for line in copied] == [
        Command.DISCOVER,
        Command.READ,
        Command.READ,
    ]


@pytest.mark.parametrize("argument", [["--help"], ["--version"], ["read", "--help"]])
def test_help_that_cannot_be_written_fails_as_a_command_does(typed, argument):
    with open("/dev/full", "wb") as full:  # noqa: PTH123 - a device
        done = typed(*argument, stdout=full)
    assert done.returncode == 1
    assert done.stderr.decode() == (
        "Stdout can't be written: No space left on device. Make room, or write to another place.\n"
    )


def test_no_command_looks_through_the_installed_packages(mocker):
    mocker.patch("importlib.metadata.packages_distributions", side_effect=AssertionError("a command did"))
    assert parsed(["spec"]).command is Command.SPEC
    with pytest.raises(AssertionError, match="a command did"):
        parsed(["--version"])


def test_each_commands_help_names_its_options(typed):
    said = typed("read", "--help").stdout.decode()
    for option in ("--config", "--catalog", "--state", "--streams", "--debug"):
        assert option in said


def test_arguments_that_say_nothing_are_refused_with_the_commands(script, typed, tmp_path):
    done = typed()
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr.endswith(b"error: say what to do: spec, check, discover, read, merge-states\n")
    assert script.run("read", tmp_path, "--streams", ",", config={}, catalog={}).code == 2


WRONG = {"api_key": ""}


def test_an_error_stands_alone_on_stderr_where_stdout_is_a_file(script, tmp_path):
    said = script.run("discover", tmp_path, config=WRONG)
    assert_sentence(failure(said), "The API key is missing")
    assert said.stderr.count("\n") == 1


def test_a_check_that_fails_does_too(script, tmp_path):
    said = script.run("check", tmp_path, config=WRONG)
    assert said.stderr == said.status["message"] + "\n"


def test_the_stack_follows_it_where_it_is_asked_for(script, tmp_path):
    said = script.run("discover", tmp_path, "--debug", config=WRONG)
    first, second, *_ = said.stderr.splitlines()
    assert first == said.errors[-1]["message"]
    assert second.startswith("Traceback")


def test_an_error_stands_alone_on_stderr_where_stdout_is_a_terminal(typed, tmp_path):
    terminal, end = pty.openpty()
    done = typed(
        "discover",
        *files(tmp_path, config=WRONG),
        stdout=end,
        stderr=subprocess.PIPE,
    )
    os.close(end)
    os.close(terminal)
    assert done.returncode == 1
    assert_sentence(done.stderr.decode().removesuffix("\n"), "The API key is missing")


def test_a_program_that_reads_stdout_is_told_there_only(typed, tmp_path):
    done = typed("discover", *files(tmp_path, config=WRONG))
    said = parse(done.stdout, done.stderr, done.returncode)
    assert (said.code, said.stderr) == (1, "")
    assert len(said.errors) == 1


def test_one_file_for_both_holds_messages_only(typed, tmp_path):
    with (tmp_path / "both").open("wb") as both:
        typed(
            "discover",
            *files(tmp_path, config=WRONG),
            stdout=both,
            stderr=both,
        )
    said = parse((tmp_path / "both").read_bytes())
    assert (len(said.errors), said.unparsed) == (1, [])
