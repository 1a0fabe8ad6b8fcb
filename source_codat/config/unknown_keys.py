"""Keys of a configuration that the spec doesn't have: they change nothing, and the user should know."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from source_codat.foundation.secrets import masked
from source_codat.foundation.wording import nearest

_PLATFORMS_OWN = "__"  # __injected_declarative_manifest and the like
_LONGEST = 60
_SHORTEST_WORD = 5  # letters: shorter ones are in many names
_ALL_COMPANIES = " Only 'companies' chooses companies: without it, all of them are read."


def unknown_keys(config: Mapping[str, Any], schema: Mapping[str, Any]) -> list[str]:
    """A sentence for each key that changes nothing, with the known one that may be meant.

    schema: the spec's connectionSpecification.
    """
    homes = {path.rpartition(".")[2]: path for path in _paths(schema)}
    return list(dict.fromkeys(_walk(config, schema, "", homes)))


def _walk(value: Any, schema: Mapping[str, Any], place: str, homes: Mapping[str, str]) -> Iterator[str]:
    if isinstance(value, list):
        for item in value:
            yield from _walk(item, schema.get("items", {}), place, homes)
    if not isinstance(value, Mapping):
        return
    known = _properties(value, schema)
    for key, inner in value.items():
        if key in known:
            yield from _walk(inner, known[key], f"{place}{key}.", homes)
        elif known and not str(key).startswith(_PLATFORMS_OWN):
            yield _sentence(str(key), place, homes)


def _properties(value: Mapping[str, Any], schema: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that an object may have: of several kinds of it, those of the chosen one."""
    kinds = [kind.get("properties", {}) for kind in schema.get("oneOf", ())]
    chosen = [kind for kind in kinds if any(f.get("const", f) == value.get(name) for name, f in kind.items())]
    found = dict(schema.get("properties", {}))
    for kind in chosen or kinds:
        found.update(kind)
    return found


def _sentence(key: str, place: str, homes: Mapping[str, str]) -> str:
    shown = masked(f"{place}{key}")[:_LONGEST]
    if homes.get(key) == f"{place}{key}":  # of the same object, where another kind of it is chosen
        return f"The configuration's '{shown}' changes nothing: it means nothing beside what is chosen there."
    near = homes.get(key) or homes.get(nearest(key, homes) or _of_a_word(key, homes), "")
    meant = f"did you mean '{near}'?" if near else "'spec' lists those that are."
    misplaced = not place and near.startswith("companies.")
    return (
        f"The configuration's '{shown}' changes nothing, as there is no such field: {meant}"
        f"{_ALL_COMPANIES if misplaced else ''}"
    )


def _of_a_word(key: str, homes: Mapping[str, str]) -> str:
    """The one known name that shares a word with a key: deleted_records for include_deleted; else empty."""
    words = {word for word in key.lower().split("_") if len(word) >= _SHORTEST_WORD}
    sharing = [name for name in homes if words & set(name.lower().split("_"))]
    return sharing[0] if len(sharing) == 1 else ""


def _paths(schema: Mapping[str, Any], place: str = "") -> Iterator[str]:
    """The fields of a schema at any depth, with dots between."""
    for part in (schema, *schema.get("oneOf", ())):
        for name, inner in part.get("properties", {}).items():
            yield f"{place}{name}"
            for deeper in (inner, inner.get("items", {})):
                yield from _paths(deeper, f"{place}{name}.")
