"""Products that a client hasn't bought: after ten companies in a row, the next isn't asked."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

from source_codat.streams.definition import CodatRetriever

IN_A_ROW = 10


@dataclass
class RefusedProducts:
    """Counts the companies that refuse a product alike; safe to use from several threads.

    A data type is no product: that ten companies' users may not read their bills says nothing of the next.
    """

    _companies: dict[str, set[str]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, retriever: CodatRetriever, company_id: str, *, is_refusal: bool) -> None:
        """Count a company's refusal (403); any other answer makes the count of its product start anew."""
        if not retriever.product:
            return
        with self._lock:
            if is_refusal:
                self._companies.setdefault(retriever.product, set()).add(company_id)
            else:
                self._companies.pop(retriever.product, None)

    def is_refused(self, retriever: CodatRetriever) -> bool:
        """Whether a stream's product needn't be asked for any more in this read."""
        return len(self._companies.get(retriever.product, ())) >= IN_A_ROW
