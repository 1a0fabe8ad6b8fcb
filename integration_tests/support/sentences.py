"""What a message for a user must be like: one full sentence that says what to do."""

import re

_STOCK = re.compile(
    r"is not of type|' was expected|is a required property|does not match|is not one of|Traceback"
)


def assert_sentence(text, *words):
    """A full sentence, not JSON schema's or Python's, that has these words."""
    assert text
    assert text[0].isupper() or text[0] == "'", text
    assert text.endswith((".", ")")), text
    assert "\n" not in text, text
    assert not _STOCK.search(text), text
    for word in words:
        assert word in text, text


def refusal(said):
    """The message with which `check` refused a configuration, all in order otherwise."""
    assert (said.code, said.unparsed, said.errors) == (0, [], [])
    assert said.status["status"] == "FAILED", said.status
    assert said.stderr in ("", f"{said.status['message']}\n")  # it stands there too where stdout is a file
    return said.status["message"]


def failure(said):
    """The message with which a command failed; told once alone on stderr, as its stdout was a file."""
    assert (said.code, said.unparsed) == (1, [])
    message = said.errors[-1]["message"]
    assert said.stderr == f"{message}\n"
    return message
