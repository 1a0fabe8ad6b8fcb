"""How a request is signed: the component that manifest.yaml names as the requester's authenticator."""

from collections.abc import Mapping
from dataclasses import InitVar, dataclass, field
from typing import Any

from airbyte_cdk.sources.declarative.auth.declarative_authenticator import DeclarativeAuthenticator
from requests import PreparedRequest

from source_codat.config.settings import Settings


@dataclass
class CodatAuthenticator(DeclarativeAuthenticator):
    """Sends the API key as Codat wants it: `Basic` and the base64 of the bare key, without a colon.

    The stock basic authenticator would encode `key:`. As a `requests` auth it also keeps `.netrc`
    from replacing the header.
    """

    config: Mapping[str, Any] = field(repr=False)
    parameters: InitVar[Mapping[str, Any]] = field(default=None, kw_only=True)

    def __post_init__(self, parameters: Mapping[str, Any]) -> None:
        self._authorization = Settings.from_config(self.config).authorization

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        """Sign a request: this is what `requests` calls."""
        request.headers.update(self.get_auth_header())
        return request

    def get_auth_header(self) -> Mapping[str, Any]:
        """The header that every request carries."""
        return {"Authorization": self._authorization}
