"""The connection test: a few requests that tell every mistake a user can make."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from source_codat.catalog import CodatStream
from source_codat.client import CodatClient
from source_codat.company import Company, companies_in
from source_codat.directory import Directory, no_company
from source_codat.errors import ConfigError, PartitionFailed, PartitionSkipped
from source_codat.platforms import Platforms
from source_codat.questions import Questions
from source_codat.settings import MAX_QUERY_LENGTH, Settings


def check_filters(settings: Settings, streams: Mapping[str, CodatStream]) -> None:
    """Refuse filters that no stream could use, without asking Codat."""
    for name, query in settings.filters.items():
        stream = streams.get(name)
        if stream is None:
            raise ConfigError(
                f"'filters' names the stream '{name}', which doesn't exist: use one of "
                f"{', '.join(sorted(key for key, one in streams.items() if one.retriever.queryable))}."
            )
        if not stream.retriever.queryable:
            raise ConfigError(
                f"'filters' names the stream '{name}', which Codat can't filter: remove that filter."
            )
        if len(query) > MAX_QUERY_LENGTH - 100:
            raise ConfigError(f"The filter for '{name}' is longer than Codat takes: shorten it.")


@dataclass
class Check:
    """Tries a configuration against Codat; raises ConfigError with one sentence where it's wrong."""

    client: CodatClient
    settings: Settings
    streams: Mapping[str, CodatStream]

    def run(self) -> None:
        """Ask as little as shows that key, companies and filters work."""
        check_filters(self.settings, self.streams)
        companies = self._companies()
        if not companies:
            raise ConfigError(no_company(self.settings))
        for name in self.settings.filters:
            self._try_filter(self.streams[name], companies)
        platforms = Platforms(self.client)
        for identifier in self.settings.custom_data_types:
            if not platforms.know_custom(companies, identifier):
                raise ConfigError(
                    f"No platform of your companies has the custom data type '{identifier}': check its "
                    "identifier in Codat, or remove it from 'custom_data_types'."
                )

    def _companies(self) -> list[Company]:
        retriever = self.streams["companies"].retriever
        directory = Directory(self.client, retriever, self.settings, lambda _: None)
        if self.settings.selection.kind != "ids":
            # One company is enough to try things on; with filters, one that has what they are about.
            return companies_in(
                directory.first_page(
                    100 if self.settings.filters or self.settings.custom_data_types else 1
                ).rows
            )
        found = directory.load()
        if directory.gone:
            raise ConfigError(
                f"Codat doesn't know these companies: {', '.join(directory.gone[:10])}. Check their IDs in "
                "the Codat portal, or remove them from 'company_ids'."
            )
        return found

    def _try_filter(self, stream: CodatStream, companies: list[Company]) -> None:
        """Ask for one row with the filter: Codat's refusal is the user's to mend."""
        retriever = stream.retriever
        questions = Questions(self.client, retriever, self.settings)
        for company in companies:
            connections = company.connections(retriever.source_types)
            if not connections:
                continue
            ids = {"companyId": company.id, "connectionId": connections[0].id}
            params = {"page": "1", "pageSize": "1", "query": questions.query(None)}
            try:
                self.client.get(retriever.url_path(ids), params, lambda _: None)
            except PartitionSkipped:
                continue  # no such data here; another company may have it
            except PartitionFailed as failed:
                if failed.status != 400:
                    raise
                name, query = retriever.name, self.settings.filters[retriever.name]
                raise ConfigError(
                    f"Codat refused the filter for '{name}', '{query}': correct it. ({failed.message})"
                ) from None
            return
