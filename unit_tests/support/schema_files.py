"""What a stream's schema file must have before anything about the stream can be tested."""

import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import source_codat

SHARED = Path(source_codat.__file__).parent / "schemas" / "shared"
FORM = """\
{
  "$schema": "http://json-schema.org/draft-07/schema#",
  "description": "What the stream holds, in one sentence.",
  "type": "object",
  "additionalProperties": true,
  "properties": {
    "companyId": {"$ref": "company_id.json"},
    "id": {"type": ["null", "string"]}
  }
}
CONTRIBUTING.md, "Adding a stream", says what stands in it."""


def node_of(column: str) -> str:
    """Return what a schema has for a column: a reference to the shared piece of that name, or else a text."""
    piece = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", column).lower() + ".json"
    return f'{{"$ref": "{piece}"}}' if (SHARED / piece).is_file() else '{"type": ["null", "string"]}'


def unusable(folder: Path, streams: Iterable[str]) -> Iterator[str]:
    """Say for each stream whose schema can't be used which file it is, and what to write into it."""
    for name in streams:
        path = folder / f"{name}.json"
        where = f"source_codat/schemas/{name}.json"
        if not path.is_file():
            yield f"{where} is missing: the manifest has a stream {name}. Write it, in this form:\n{FORM}"
            continue
        try:
            root = json.loads(path.read_text(encoding="utf-8"))
        except ValueError as error:
            yield f"{where} isn't JSON: {error}"
            continue
        lacking = [word for word in ("description", "properties") if word not in root]
        if lacking:
            yield f'{where} has no "{lacking[0]}". Its form is:\n{FORM}'
