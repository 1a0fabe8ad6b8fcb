"""The components that manifest.yaml names: what a row of its table of streams says."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import InitVar, dataclass, field
from typing import Any
from urllib.parse import quote

from airbyte_cdk.sources.declarative.auth.declarative_authenticator import DeclarativeAuthenticator
from airbyte_cdk.sources.declarative.requesters import HttpRequester
from requests import PreparedRequest

from source_codat.settings import Settings

_PLACEHOLDER = re.compile(r"\{(\w+)\}")


@dataclass
class CodatAuthenticator(DeclarativeAuthenticator):
    """Sends the API key as Codat wants it: `Basic` and the base64 of the bare key, without a colon.

    The stock basic authenticator would encode `key:`. As a `requests` auth it also keeps `.netrc`
    from replacing the header.
    """

    config: Mapping[str, Any]
    parameters: InitVar[Mapping[str, Any]] = field(default=None, kw_only=True)

    def __post_init__(self, parameters: Mapping[str, Any]) -> None:
        self._authorization = Settings.from_config(self.config).authorization

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        request.headers.update(self.get_auth_header())
        return request

    def get_auth_header(self) -> Mapping[str, Any]:
        """The header that every request carries."""
        return {"Authorization": self._authorization}


@dataclass
class CodatRetriever:
    """How one stream is read: a row of the manifest, joined with its family.

    path: with {companyId}, {connectionId} … (the partition) and {dataset} (the row's own part).
    records: where the rows are in an answer: a top-level field, "" (the body) or "*" (its values).
    paged: whether the endpoint takes page and pageSize, and orderBy=order_by where that is given.
    cursor_field, queryable: whether the stream is incremental, and whether `query` is understood.
    marks_deleted: whether deleted records stay, with metadata.isDeleted.
    source_types: the kinds of connections that hold the data type.
    from_envelope, from_request: top-level fields added from the answer and from the request.
    """

    requester: HttpRequester
    name: str
    path: str
    records: str
    dataset: str = ""
    data_type: str = ""
    paged: bool = False
    order_by: str = ""
    cursor_field: str = ""
    queryable: bool = False
    marks_deleted: bool = False
    source_types: Sequence[str] = ()
    from_envelope: Sequence[str] = ()
    from_request: Sequence[str] = ()

    def __post_init__(self) -> None:
        self.path = self.path.replace("{dataset}", self.dataset or self.data_type)
        # The ids that make a partition, in the order of the path: companyId, connectionId …
        self.scope: tuple[str, ...] = tuple(_PLACEHOLDER.findall(self.path))

    @property
    def per_connection(self) -> bool:
        """Whether the stream is read connection by connection."""
        return "connectionId" in self.scope

    def url_path(self, partition: Mapping[str, str]) -> str:
        """The path for one partition, its ids encoded: they contain `/`, `:`, `=`, `@` and spaces."""
        return _PLACEHOLDER.sub(lambda found: quote(partition[found.group(1)], safe=""), self.path)

    def request_parameters(self) -> dict[str, str]:
        """The parameters that every request of the stream carries, from the manifest."""
        given = self.requester.get_request_params(stream_state={}, stream_slice=None, next_page_token=None)
        return {name: str(value) for name, value in given.items()}
