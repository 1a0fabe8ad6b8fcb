"""One request on its way through the simulator: what was asked, under which circumstances."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from random import Random

from codat_simulator.http.answers import Refusal
from codat_simulator.http.request_log import LoggedRequest
from codat_simulator.world.companies import Company, Connection
from codat_simulator.world.world import World


@dataclass(eq=False)
class ServerOptions:
    """What the whole server does differently while a test wants it to."""

    page_size_cap: int = 5000
    """The largest page given, whatever was asked for."""
    default_page_size: int = 100
    drop_links: bool = False
    """Whether pages come without `_links`."""
    latency: float = 0.0
    """How many seconds each answer takes."""
    compress: bool = False
    """Whether bodies are compressed for clients that accept it."""
    max_in_flight_company: int | None = None
    """How many requests of one company are served at once; more are refused with 429."""


@dataclass
class ContentFaults:
    """What the scripted faults do to one answer's contents."""

    drop_links: bool = False
    refuse_order_by: bool = False
    shuffle: Random | None = None
    page: int | None = None
    """The page to give whichever was asked for."""


@dataclass
class Call:
    """A request that has been let in and routed."""

    world: World
    options: ServerOptions
    request: LoggedRequest
    params: dict[str, str]
    content_faults: ContentFaults
    body: bytes = b""

    @property
    def query(self) -> dict[str, str]:
        """Return the decoded query parameters."""
        return self.request.query

    @cached_property
    def company(self) -> Company:
        """Return the company of the path; refused with 404 where there is none."""
        try:
            return self.world.company(self.params["companyId"])
        except KeyError:
            raise Refusal(404, f"Company with id '{self.params['companyId']}' not found.") from None

    @cached_property
    def connection(self) -> Connection:
        """Return the connection of the path; refused with 404 where the company has none like it."""
        for link in self.company.connections:
            if link.id == self.params["connectionId"]:
                return link
        raise Refusal(404, f"Data connection with id '{self.params['connectionId']}' not found.")

    def number(self, name: str, least: int = 1, default: int | None = None) -> int:
        """Return a whole number from the query string; refused with 400 where it's missing or isn't one."""
        text = self.query.get(name)
        if text is None:
            if default is None:
                raise Refusal(400, f"The {name} field is required.")
            return default
        if not text.isascii() or not text.isdigit() or int(text) < least:
            raise Refusal(400, f"The value '{text}' is not valid for {name}.")
        return int(text)
