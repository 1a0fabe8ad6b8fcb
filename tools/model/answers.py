"""What the model's Codat answers: JSON as it would come over the wire, at times in odd words."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any, Protocol
from urllib.parse import unquote

import msgspec

from source_codat.foundation import timestamps
from tools.model.clock import http_date, render
from tools.model.nature import MISSING, odd_date, odd_word
from tools.model.world import COMPLETE, RUNNING, SOURCE_TYPES, Company, Row, Sync, World

_QUERY_DATE = re.compile(r"(modifiedDate|requested)>=([0-9T:.Z-]+)")
_QUERY_STATUS = re.compile(r"status=(\w+)")
_QUERY_OTHER_STATUS = re.compile(r"status!=(\w+)")
_REFUSALS = (403, 404, 409, 451, 500, 500, 408, 429)
Params = Mapping[str, Any]
_ENOUGH_ROWS = 10  # that a page must have for its cut to tell anything, also where it is cut smaller


@dataclass(frozen=True)
class Refused(Exception):
    """An answer that isn't a good one."""

    status: int
    words: str = "made up"


class Scenery(Protocol):
    """Lets things happen at requests."""

    def at_request(self, company: Company, asked: str, number: int) -> None:
        """What happens before an answer: asked, "dataStatus" or a data type; number, of the page from 1.

        Raises Refused where that is the answer.
        """

    def hides(self, company: Company, data_type: str) -> bool:
        """Whether dataStatus doesn't name a data type."""


@dataclass
class Front:
    """Answers requests about a world.

    asked: how often each path was asked for in this read. refused: by path, the statuses that were given
    as its first answer in this read, which may be taken for "no data". refused_first_pages: the paths of
    which a first page was refused at any time in this read. scenery: lets things happen at requests.
    """

    world: World
    rng: Random
    scenery: Scenery
    asked: Counter[str] = field(default_factory=Counter)
    refused: dict[str, int] = field(default_factory=dict)
    refused_first_pages: set[str] = field(default_factory=set)
    most_requests: int = 3000
    requests: int = 0

    def begin_read(self) -> None:
        """Forget what was asked for by the read before."""
        self.asked.clear()
        self.refused.clear()
        self.refused_first_pages.clear()
        self.requests = 0

    def answer(self, path: str, params: Params | None) -> tuple[bytes, dict[str, str]]:
        """The body and the headers of a GET; raises Refused."""
        world, nature = self.world, self.world.nature
        self.requests += 1
        if self.requests > self.most_requests:
            raise AssertionError(f"more than {self.most_requests} requests in one read: {path}")
        parts = [unquote(part) for part in path.strip("/").split("/")]
        company_id = parts[1] if len(parts) > 1 and parts[0] == "companies" else ""
        link = parts[3] if len(parts) > 3 and parts[2] == "connections" else ""
        near = parts[-1] if parts[-1] in SOURCE_TYPES else ""
        world.pass_by(company_id, near, link, is_look=parts[-1] == "dataStatus")
        self.asked[path] += 1
        given = params or {}
        try:
            if company_id in world.companies:
                self.scenery.at_request(world.companies[company_id], parts[-1], int(given.get("page", 1)))
            chance = max(nature.errors, nature.history_errors if path.endswith("/history") else 0.0)
            if company_id and chance and self.rng.random() < chance:
                raise Refused(self.rng.choice(_REFUSALS))
            body = self._route(parts, given)
        except Refused as refused:
            # What refuses an order, a query or so large a page is asked anew: the next answer is the first.
            if self.asked[path] == 1 or self.refused.get(path) in (400, 408):
                self.refused[path] = refused.status
            if given.get("page", 1) == 1:
                self.refused_first_pages.add(path)
            world.tell(f"  {path} {dict(given)} -> {refused.status} {refused.words}")
            raise
        headers = {"Date": http_date(world.clock.now)}
        if nature.dateless and self.rng.random() < nature.dateless:
            headers = self.rng.choice([{}, {"Date": "soon"}, {"Date": ""}])
        if world.is_telling:
            shown = body.decode() if len(body) < 1500 else f"{body[:1500].decode()}…"
            world.tell(f"  {path} {dict(given)} -> {shown}")
        return body, headers

    def _route(self, parts: list[str], params: Params) -> bytes:
        if parts == ["companies"]:
            rows = [self._company(one) for one in self.world.companies.values()]
            return self._page(rows, params, always_right=True)
        if parts == ["integrations"]:
            return self._page([], params, always_right=True)
        company = self.world.companies.get(parts[1]) if parts[0] == "companies" and len(parts) > 1 else None
        if company is None:
            raise Refused(404)
        if parts[2:3] == ["connections"]:
            return self._of_connection(company, parts[3], parts[4:], params)
        return self._of_company(company, parts[2:], params)

    def _of_company(self, company: Company, rest: list[str], params: Params) -> bytes:
        match rest:
            case []:
                return self._company(company)
            case ["dataStatus"]:
                return msgspec.json.encode(self._data_status(company))
            case ["data", "history"]:
                return self._history(company, params)
            case ["data", data_type] if data_type in SOURCE_TYPES:
                return self._data(company, data_type, None, params)
            case ["reports", "enhancedInvoices"]:
                return self._data(company, "invoices", None, params, reported=True)
        raise Refused(404, "no such path")

    def _of_connection(self, company: Company, link: str, rest: list[str], params: Params) -> bytes:
        match rest:
            case ["data", data_type] if data_type in SOURCE_TYPES:
                return self._data(company, data_type, link, params)
            case ["data", "bankAccounts", account, "bankTransactions"]:
                return self._data(company, "bankTransactions", link, params, group=account)
            case ["data", "invoices", invoice, "attachments"]:
                return self._attachments(company, link, invoice)
            case ["payables", "suppliers"]:
                return self._by_token(company, link, params)
        raise Refused(404, "no such path")

    # --- companies

    def _company(self, company: Company) -> bytes:
        links = [
            {
                "id": one.id,
                "status": one.status,
                "integrationId": "i",
                "integrationKey": "k",
                "sourceType": one.kind if one.shown_as is None else one.shown_as,
            }
            for one in company.connections
        ]
        for link in links:
            if link["sourceType"] == "":
                del link["sourceType"]
        return msgspec.json.encode({"id": company.id, "name": "N", "dataConnections": links})

    # --- what says where the syncs stand

    def _date(self, moment: int) -> str:
        """A moment as it is written, the same at every look."""
        digits, zones = self.world.nature.digits, self.world.nature.zones
        return render(moment, digits[moment % len(digits)], zones[moment % len(zones)])

    def _data_status(self, company: Company) -> dict[str, Any]:
        nature, rng = self.world.nature, self.rng
        told: dict[str, Any] = {}
        for data_type in nature.data_types:
            syncs = company.syncs.get(data_type)
            if self.scenery.hides(company, data_type):
                continue
            if not syncs:
                if nature.bare_types:
                    told[data_type] = {"dataType": data_type}
                continue
            entry = self._status_of(company, data_type, syncs)
            if nature.odd_answers and rng.random() < nature.odd_answers:
                entry = self._oddly(entry, ("currentStatus",), ("lastSuccessfulSync",), rng.random())
                if rng.random() < 0.2:
                    told[rng.choice([data_type.upper(), "else"])] = entry
                    continue
                if rng.random() < 0.2:
                    told[data_type] = None
                    continue
            told[data_type] = entry
        return told

    def _status_of(self, company: Company, data_type: str, syncs: Sequence[Sync]) -> dict[str, Any]:
        nature = self.world.nature
        latest = syncs[-1] if nature.merging == "requested" else max(syncs, key=lambda one: one.changed)
        entry: dict[str, Any] = {
            "dataType": data_type,
            "currentStatus": latest.status,
            "latestSyncId": latest.id,
        }
        good = [one for one in syncs if one.status == COMPLETE]
        if good:
            best = max(good, key=lambda one: one.done)
            moment = best.done if nature.sync_time == "done" else best.requested
            entry["lastSuccessfulSync"] = self._date(moment)
            entry["latestSuccessfulSyncId"] = best.id
            if best.odd and best.odd.what == "done":
                entry["lastSuccessfulSync"] = odd_date(best.odd.pick)
        if latest.odd and latest.odd.what == "status":
            entry["currentStatus"] = odd_word(latest.status, latest.odd.pick)
        self._stick(company, data_type, latest, entry)
        return {name: value for name, value in entry.items() if value is not MISSING}

    def _stick(self, company: Company, data_type: str, latest: Sync, entry: dict[str, Any]) -> None:
        """Show sync ids that stay as they were, while the date of the last sync moves on."""
        names = ("latestSyncId", "latestSuccessfulSyncId")
        if data_type in company.stuck:
            entry.update(zip(names, company.stuck[data_type], strict=True))
            for name in names:
                if entry[name] is None:
                    del entry[name]
        elif latest.odd and latest.odd.what == "ids" and latest.id == entry.get("latestSuccessfulSyncId"):
            company.stuck[data_type] = (entry.get(names[0]), entry.get(names[1]))

    def _oddly(
        self, entry: dict[str, Any], words: Iterable[str], dates: Iterable[str], pick: float
    ) -> dict[str, Any]:
        """The entry with one of its fields told of in an odd way."""
        changed = dict(entry)
        name = self.rng.choice(list(entry))
        if name in words:
            changed[name] = odd_word(str(entry[name]), pick)
        elif name in dates:
            changed[name] = odd_date(pick)
        else:
            changed[name] = self.rng.choice([None, MISSING, ""])
        return {key: value for key, value in changed.items() if value is not MISSING}

    def _history(self, company: Company, params: Params) -> bytes:
        nature, rng = self.world.nature, self.rng
        query = str(params.get("query", ""))
        wanted = set(_QUERY_STATUS.findall(query))
        unwanted = set(_QUERY_OTHER_STATUS.findall(query))
        since = _QUERY_DATE.search(query)
        least = timestamps.instant(since[2]) if since else None
        entries = []
        for syncs in company.syncs.values():
            for sync in syncs:
                requested = self._date(sync.requested)
                entry = self._entry(company, sync, requested)
                is_other = unwanted and entry.get("status") not in unwanted
                if not query or sync.status in wanted or is_other or _at_least(requested, least):
                    entries.append((sync.requested, entry))
        if str(params.get("orderBy", "")).startswith("-"):
            entries.sort(key=lambda one: -one[0])
        rows = [entry for _, entry in entries]
        if nature.odd_answers and rows and rng.random() < nature.odd_answers:
            what = rng.random()
            if what < 0.4:
                at = rng.randrange(len(rows))
                rows[at] = self._oddly(rows[at], ("status",), ("requested", "completed"), rng.random())
            elif what < 0.7 and self._names_a_sync(company):
                rows = []  # dataStatus names a sync: what this one doesn't know
            else:
                rows = self._lagging(company, rows)
        cap = max(2, len(rows) // 3 + 1) if nature.long_history else 2000
        return self._page([msgspec.json.encode(one) for one in rows], params, cap=cap, always_right=True)

    def _names_a_sync(self, company: Company) -> bool:
        return any(company.syncs.values())

    def _lagging(self, company: Company, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """The history without the syncs that dataStatus names as the last good ones."""
        known = {
            max(good, key=lambda one: one.done).id
            for syncs in company.syncs.values()
            if (good := [one for one in syncs if one.status == COMPLETE])
        }
        return [one for one in rows if one.get("id") not in known]

    def _entry(self, company: Company, sync: Sync, requested: str) -> dict[str, Any]:
        entry: dict[str, Any] = {
            "id": sync.id,
            "companyId": company.id,
            "connectionId": sync.connection,
            "dataType": sync.data_type,
            "status": sync.status,
            "requested": requested,
        }
        if sync.done:
            entry["completed"] = self._date(sync.done)
        odd = sync.odd
        if odd is not None:
            if odd.what == "day":
                entry["requested"] = requested[:10]
            elif odd.what == "status":
                entry["status"] = odd_word(sync.status, odd.pick)
            elif odd.what == "requested":
                entry["requested"] = odd_date(odd.pick)
            elif odd.what == "id":
                entry["id"] = (None, MISSING, "")[int(odd.pick * 3)]
            elif odd.what == "connection":
                entry["connectionId"] = (None, MISSING, "")[int(odd.pick * 3)]
            elif odd.what == "data_type":
                entry["dataType"] = (None, MISSING, sync.data_type.upper())[int(odd.pick * 3)]
        return {name: value for name, value in entry.items() if value is not MISSING}

    # --- rows

    def _data(
        self,
        company: Company,
        data_type: str,
        link: str | None,
        params: Params,
        *,
        group: str = "",
        reported: bool = False,
    ) -> bytes:
        nature = self.world.nature
        syncs = [one for one in company.syncs.get(data_type, ()) if link in (None, one.connection)]
        if link is not None and all(one.id != link for one in company.connections):
            raise Refused(404, "no such connection")
        if not company.opened(data_type, link):
            raise Refused(409, "The data set has not been requested.")
        if nature.conflict and any(one.status in RUNNING for one in syncs):
            raise Refused(409, "still syncing")
        if "orderBy" in params and nature.refuses_order:
            raise Refused(400, "Error parsing orderBy")
        rows = [
            row
            for one, held in company.of_type(data_type)
            if link in (None, one.id)
            for row in held.values()
            if row.group == group or not group
        ]
        return self._page(self._selected(rows, params), params, reported=reported)

    def _selected(self, rows: list[Row], params: Params) -> list[bytes]:
        query = str(params.get("query", ""))
        since = _QUERY_DATE.search(query)
        if since:
            least = timestamps.instant(since[2])
            rows = [row for row in rows if row.text and _at_least(row.text, least)]
        if "isDeleted!=true" in query:
            rows = [row for row in rows if not row.deleted]
        if "orderBy" in params:
            rows.sort(key=lambda row: row.id or "")
        elif self.world.nature.restless:
            self.rng.shuffle(rows)
        return [row.body for row in rows]

    def _attachments(self, company: Company, link: str, invoice: str) -> bytes:
        mine = {
            row.id for one, rows in company.of_type("invoices") if one.id == link for row in rows.values()
        }
        if invoice not in mine:
            raise Refused(404)
        held = company.attachments.get((link, invoice), {})
        if not held:
            return self.rng.choice([b'{"attachments":null}', b'{"attachments":[]}'])
        return b'{"attachments":[%s]}' % b",".join(row.body for row in held.values())

    def _by_token(self, company: Company, link: str, params: Params) -> bytes:
        """Pages that follow each other by a token; some of them are empty."""
        if all(one.id != link for one in company.connections):
            raise Refused(404)
        rows = [row.body for row in company.rows.get((link, "invoices"), {}).values()]
        pages = [rows[begin : begin + 2] for begin in range(0, len(rows), 2)] or [[]]
        if self.world.nature.empty_pages:
            pages = [page for full in pages for page in ([], full)]
        at = int(str(params.get("continuationToken") or "0").removeprefix("t"))
        token = f'"t{at + 1}"' if at + 1 < len(pages) else "null"
        found = pages[at] if at < len(pages) else []
        return b'{"results":[%s],"pagination":{"continuationToken":%s}}' % (
            b",".join(found),
            token.encode(),
        )

    def _page(
        self,
        rows: list[bytes],
        params: Params,
        *,
        cap: int = 0,
        always_right: bool = False,
        reported: bool = False,
    ) -> bytes:
        nature = self.world.nature
        number = int(params.get("page", 1))
        size = min(int(params.get("pageSize", 100)), cap or nature.page_cap)
        begin = (number - 1) * size
        found = rows[begin : begin + size]
        total = len(rows)
        fields = [b'"pageNumber":%d,"pageSize":%d' % (number, size)]
        if always_right or nature.totals != "none":
            # Pages of a few rows can't be cut elsewhere: there, a total that is too high is doubt for ever.
            more = nature.totals == "more" and not always_right and total > 0 and size >= _ENOUGH_ROWS
            fields.append(b'"totalResults":%d' % (total + more))
        counters = b",".join(fields)
        linked = nature.links == "always" or (nature.links == "sometimes" and self.rng.random() < 0.5)
        if nature.totals != "right" and not always_right:
            linked = True  # one of the two has to tell where the end is
        if linked:
            further = b'{"next":{"href":"x"}}' if begin + size < total else b"{}"
            counters += b',"_links":' + further
        if reported:
            return b'{"reportInfo":{%s},"reportItems":[%s]}' % (counters, b",".join(found))
        return b'{"results":[%s],%s}' % (b",".join(found), counters)


def _at_least(text: str, least: int | None) -> bool:
    moment = timestamps.instant(text)
    return least is not None and moment is not None and moment >= least
