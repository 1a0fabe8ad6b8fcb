"""Undo one rule at a time, and look for a story that fails only then."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

from tools.model.mutations import MUTATIONS, Mutation
from tools.model.oracle import Broken, Idle
from tools.model.story import Story

_UNFIT = ("error of its own", "TypeError", "AttributeError")


class MutationUnfit(Exception):
    """A mutation that doesn't fit the code that it changes."""


@dataclass(frozen=True)
class Caught:
    """How a mutation was found: by which story, after how many seconds, and in what words."""

    mutation: Mutation
    seed: int | None
    stories: int
    seconds: float
    words: str = ""


def check(stories: int, first_seed: int = 1, only: str = "") -> Iterator[Caught]:
    """Try every mutation (or those whose name has `only` in it) in at most so many stories."""
    for mutation in MUTATIONS:
        if only in mutation.name:
            yield catch(mutation, stories, first_seed)


def catch(mutation: Mutation, stories: int, first_seed: int = 1) -> Caught:
    """Look for a story that fails with a mutation only; every second one is in a world that suits it.

    stories: how many are tried at most. Raises MutationUnfit where the mutation doesn't undo its rule but
    breaks the connector, which any story would notice.
    """
    began = time.process_time()
    for seed in range(first_seed, first_seed + stories):
        given = dict(mutation.nature) if seed % 2 else {}
        with mutation.applied():
            words = _failure(seed, given, of_loss=mutation.loses)
        if any(sign in words for sign in _UNFIT):
            raise MutationUnfit(f"{mutation.name}: {words}")
        if words and not _failure(seed, given):
            return Caught(mutation, seed, seed - first_seed + 1, time.process_time() - began, words)
    return Caught(mutation, None, stories, time.process_time() - began)


def _failure(seed: int, given: dict[str, object], *, of_loss: bool = False) -> str:
    try:
        Story(seed, given=given).play()
    except Idle as idle:
        return "" if of_loss else str(idle).splitlines()[0]
    except Broken as broken:
        return str(broken).splitlines()[0]
    except Exception as error:  # noqa: BLE001 - a mutant may break in any way
        return f"{type(error).__name__}: {error}"
    return ""
