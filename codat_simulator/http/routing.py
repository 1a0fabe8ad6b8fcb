"""Which handler answers which path."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from codat_simulator.http.answers import Answer, Refusal
from codat_simulator.http.call import Call

Handler = Callable[[Call], Any]
"""Answers a call with an Answer, or with a value to be sent as JSON."""


@dataclass
class _Node:
    literal: dict[str, _Node] = field(default_factory=dict)
    named: tuple[str, _Node] | None = None
    handlers: dict[str, tuple[Handler, str]] = field(default_factory=dict)


class Routes:
    """A table of path templates; a literal segment goes before a named one."""

    def __init__(self) -> None:
        """Start without routes."""
        self._root = _Node()

    def add(self, method: str, template: str, handler: Handler) -> None:
        """Answer a method on a path template as `/companies/{companyId}` with a handler."""
        node = self._root
        for segment in template.strip("/").split("/"):
            if segment.startswith("{"):
                if node.named is None:
                    node.named = (segment[1:-1], _Node())
                node = node.named[1]
            else:
                node = node.literal.setdefault(segment, _Node())
        node.handlers[method] = handler, template

    def get(self, *templates: str) -> Callable[[Handler], Handler]:
        """Register a function for GET on path templates."""
        return self.on("GET", *templates)

    def post(self, *templates: str) -> Callable[[Handler], Handler]:
        """Register a function for POST on path templates."""
        return self.on("POST", *templates)

    def on(self, method: str, *templates: str) -> Callable[[Handler], Handler]:
        """Register a function for a method on path templates."""

        def register(handler: Handler) -> Handler:
            for template in templates:
                self.add(method, template, handler)
            return handler

        return register

    def find(self, method: str, segments: list[str]) -> tuple[Handler, str, dict[str, str]]:
        """Return the handler of a path, its template and the named segments; refused with 404 or 405."""
        names: list[str] = []
        node = self._walk(self._root, segments, names)
        if node is None:
            raise Refusal(404, "NotFound")
        if method not in node.handlers:
            raise Refusal(405, headers={"Allow": ", ".join(sorted(node.handlers))})
        handler, template = node.handlers[method]
        # Names are those of this template: two templates may call one segment differently.
        keys = [part[1:-1] for part in template.split("/") if part.startswith("{")]
        return handler, template, dict(zip(keys, names, strict=True))

    def _walk(self, node: _Node, segments: list[str], names: list[str]) -> _Node | None:
        if not segments:
            return node if node.handlers else None
        if segments[0] in node.literal:
            found = self._walk(node.literal[segments[0]], segments[1:], names)
            if found is not None:
                return found
        if node.named is None:
            return None
        names.append(segments[0])
        found = self._walk(node.named[1], segments[1:], names)
        if found is None:
            names.pop()
        return found


ROUTES = Routes()


def answer(call: Call, handler: Handler) -> Answer:
    """Let a handler answer a call."""
    value = handler(call)
    return value if isinstance(value, Answer) else Answer.of(value)
