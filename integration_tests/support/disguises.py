"""Every text that would give an API key away, made here anew: the connector's own list proves nothing."""

import base64
import contextlib
import html
import json
import re
from functools import lru_cache
from pathlib import Path
from urllib.parse import quote, quote_plus

ORDINARY = "Jp2fEXAMPLEkey0000000000000000000000abcd"
# Each way of writing a text changes at least one of its characters.
ODD = """Zq7+EXAMPLE/key"with\\odd&chars%40<'0123>=~xyz?"""


def token(key):
    return base64.b64encode(key.encode()).decode()


def as_given(key):
    """The key as people paste it."""
    return {
        "raw": key,
        "base64": token(key),
        "header": f"Basic {token(key)}",
        "whole header": f"Authorization: Basic {token(key)}",
        "spaces around": f"  {key}\n",
    }


@lru_cache
def disguises(key):
    """The key as logs, exceptions, URLs and files write it."""
    plain = {key, token(key), token(key).rstrip("="), base64.urlsafe_b64encode(key.encode()).decode()}
    plain.add(f"Basic {token(key)}")
    found = set(plain)
    for text in plain:
        for quoted in (quote(text), quote(text, safe=""), quote_plus(text)):
            found |= {quoted, re.sub("%..", lambda code: code.group().lower(), quoted)}
        found |= {json.dumps(text)[1:-1], repr(text)[1:-1], html.escape(text)}
    return sorted(found, key=len)


@lru_cache
def echoed(key):
    """The key as servers repeat it: escaped once more, as their frameworks do."""
    found = set(disguises(key))
    for text in (key, token(key)):
        found.add(quote(quote(text, safe=""), safe=""))
        found.add(json.dumps(text)[1:-1].replace("/", "\\/").replace("+", "\\u002B"))
        found.add("".join(f"&#{ord(letter)};" if letter in "+/=" else letter for letter in text))
    return sorted(found, key=len)


def leaks(key, *texts):
    """Which forms of a key are in what was said: as it stands, or in the strings of its JSON."""
    said = list(texts)
    for line in "\n".join(texts).splitlines():
        with contextlib.suppress(ValueError):
            said += _strings(json.loads(line))
    everything = "\n".join(said)
    return [form for form in echoed(key) if form in everything]


def written(folder):
    """All that a command of a warm start wrote."""
    return tuple(Path(folder, name).read_text() for name in ("stdout", "stderr"))


def _strings(value):
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, more in value.items():
            yield name
            yield from _strings(more)
    elif isinstance(value, list):
        for more in value:
            yield from _strings(more)
