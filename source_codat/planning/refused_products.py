"""Products that a client hasn't bought: after ten companies in a row, the next isn't asked."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

from source_codat.streams.definition import CodatRetriever

IN_A_ROW = 10


@dataclass
class Refusals:
    """Counts the companies that refuse a product alike; safe to use from several threads."""

    _companies: dict[str, set[str]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, retriever: CodatRetriever, company_id: str, *, refused: bool) -> None:
        """A company has answered: with a refusal (403), or otherwise, which breaks the row."""
        with self._lock:
            if refused:
                self._companies.setdefault(self._product(retriever), set()).add(company_id)
            else:
                self._companies.pop(self._product(retriever), None)

    def closed(self, retriever: CodatRetriever) -> bool:
        """Whether the product needn't be asked for any more in this sync."""
        return len(self._companies.get(self._product(retriever), ())) >= IN_A_ROW

    @staticmethod
    def _product(retriever: CodatRetriever) -> str:
        return retriever.product or retriever.name
