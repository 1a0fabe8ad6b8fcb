"""One story of the suggested streams in a warehouse: what each load left there, and what Codat had.

What Codat had is told by the simulated world and by its answers, never by the connector.
"""

import json
from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timezone
from enum import Enum
from functools import partial

import requests
import yaml

from codat_simulator import DATA_TYPES, Fault, Simulator
from integration_tests.support.connector import REPO, config
from integration_tests.support.current_lines import query_of_current_lines, true_lines
from integration_tests.support.loading import LoadFailedError
from integration_tests.support.warehouses import connected, rows_of
from tools.demo.truth import data_types, records
from unit_tests.support.catalogue import cursor_of, key_of

SUGGESTED = yaml.safe_load((REPO / "metadata.yaml").read_text(encoding="utf-8"))["data"]["suggestedStreams"][
    "streams"
]
LISTS = {name: key for name, key in data_types().items() if name in SUGGESTED and DATA_TYPES[key].is_list}
# Each list is changed or loses a record, and some both: every table in a load takes its time.
CHANGED = ["invoices", *(name for name in LISTS if name != "invoices")][::2]
DELETED = ["invoices", *(name for name in LISTS if name not in CHANGED)]
PERIODS = 2
STATEMENTS = {
    "balance_sheets": ("balanceSheet", ("date",)),
    "profit_and_loss": ("profitAndLoss", ("fromDate", "toDate")),
}
LINES = {
    "balance_sheet_lines": STATEMENTS["balance_sheets"],
    "profit_and_loss_lines": STATEMENTS["profit_and_loss"],
}
DELETED_AT = "_ab_cdc_deleted_at"


class Step(Enum):
    """What happens in Codat before each load."""

    FIRST_READ = "first read"
    CHANGE = "change"
    RESTATEMENT = "restatement"
    DELETION = "deletion"
    NOTHING = "nothing"
    FAILURE = "failure"
    REPAIR = "repair"


@dataclass
class Load:
    """What one load left.

    rows: each stream's rows, as the sync mode leaves them. wanted: each stream's records by key, as the guide
    says that a warehouse has them. lines, true_lines: of the streams of statement lines, what the guide's
    query finds and what Codat's statements say. table_sizes: how many rows each stream's table has,
    deduplicated or not. requests: the paths that were asked for. error: PyAirbyte's, or none.
    """

    rows: dict
    wanted: dict
    lines: dict
    true_lines: dict
    table_sizes: dict
    requests: list
    error: str


class Story:
    """The same companies, told to one warehouse; `loads` has what each step left, in their order."""

    def __init__(self, folder, load, address, choice, **options):
        self.address, self.choice, self.folder = address, choice, folder
        self.loads: dict[Step, Load] = {}
        self._load, self._options = load, {"report_periods": PERIODS, **options}
        if choice != "keep":
            self._options["deleted_records"] = choice
        self._wanted: dict = {}

    @property
    def goes_on(self):
        """Whether a company that fails holds back no other."""
        return self._options.get("continue_past_failures", False)

    def tell(self):
        """Let everything happen, with a load after each step."""
        with Simulator(
            companies=0, seed=11, records=4, start=datetime(2026, 5, 10, tzinfo=timezone.utc)
        ) as sim:
            self._sim = sim
            for name in ("One", "Two"):
                sim.world.add_company(name=name, connections=("Accounting", "Banking", "Commerce"))
            self.companies = [company["id"] for company in sim.world.companies]
            settings = config(sim, **self._options)
            (self.folder / "config.json").write_text(json.dumps(settings), encoding="utf-8")
            for step in Step:
                sim.world.clock.advance(3600)
                getattr(self, f"_{step.name.lower()}")()
                self.loads[step] = self._loaded(step)
            sim.faults.clear()
        return self

    # --- what happens

    def _first_read(self):
        """Let some records be deleted already."""
        self._delete("invoices", "bills", of=self.companies[0])

    def _change(self):
        for company in self.companies:
            for data_type in map(LISTS.__getitem__, CHANGED):
                changes = partial(self._edit, company, data_type)
                self._sim.world.sync(company, data_type, changes=changes)
            self._sim.world.sync(company, "company")

    def _edit(self, company, data_type):
        """Change a record, add one, and add one that is deleted before it was ever read."""
        world, records_there = self._sim.world, self._of(company, data_type)
        world.change(company, data_type, records_there[0]["id"], sourceModifiedDate="2026-05-10T01:00:00Z")
        live = {"metadata": {"isDeleted": False}} if DATA_TYPES[data_type].deletes_softly else {}
        for name in ("new", "never seen"):
            world.put(company, data_type, {**records_there[-1], **live, "id": name})
        world.delete(company, data_type, "never seen")

    def _restatement(self):
        """Restate statements of one company until each has lost a line."""
        company = self.companies[0]
        for data_type, dated_by in STATEMENTS.values():
            before = names_of(self._lines_of(company, data_type, dated_by))
            for _ in range(20):
                self._sim.world.sync(company, data_type)
                if before - names_of(self._lines_of(company, data_type, dated_by)):
                    break
            else:
                raise AssertionError(f"no restatement takes a line of {data_type} away")

    def _deletion(self):
        self._delete(*DELETED, of=self.companies[0])
        self._delete("invoices", of=self.companies[1])

    def _delete(self, *streams, of):
        for data_type in map(LISTS.__getitem__, streams):
            gone = [one["id"] for one in self._of(of, data_type) if not is_deleted(one)][-1]
            delete = partial(self._sim.world.delete, of, data_type, gone)
            self._sim.world.sync(of, data_type, changes=lambda delete=delete: delete())

    def _nothing(self):
        """Let time pass."""

    def _failure(self):
        """Change the same two streams of each company, and let one of them fail for the first company."""
        for company in self.companies:
            for data_type in ("invoices", "bills"):
                self._sim.world.sync(
                    company,
                    data_type,
                    changes=lambda: [{"id": "after the failure", "currency": "GBP"}],
                )
        self._sim.faults.add(
            Fault(path=f"/companies/{self.companies[0]}/data/invoices$", status=422, times=None)
        )

    def _repair(self):
        self._sim.faults.clear()

    # --- what was loaded

    def _loaded(self, step):
        self._sim.clear_log()
        error = ""
        arguments = (self.folder / "config.json", self.address, "--streams", ",".join(SUGGESTED))
        try:
            self._load(*arguments, append=self.choice == "remove")
        except LoadFailedError as failed:
            if step is not Step.FAILURE:
                raise
            error = str(failed)
        asked = [one.path for one in self._sim.requests]
        if not error:
            self._wanted = self._after(self._truth(), step)
        with connected(self.address) as connection:
            ask = partial(rows_of, connection)
            return Load(
                rows={name: ask(f"SELECT * FROM {self._table(name)} AS one") for name in self._wanted},
                wanted=self._wanted,
                lines={name: self._current_lines(ask, name) for name in LINES},
                true_lines={name: self._true_lines(name) for name in LINES},
                table_sizes=self._sizes(ask),
                requests=asked,
                error=error,
            )

    def _table(self, stream):
        """What to select a stream's rows from: its table, or what Airbyte's rule makes of all that arrived.

        Of each key the newest row by cursor stays, of equal ones the last that arrived; then those go that
        say when they were deleted.
        """
        if self.choice != "remove":
            return f'codat."{stream}"'
        cursor = cursor_of(stream)
        newest = f"{cursor.lower()} DESC NULLS LAST, " if cursor else ""
        live = f"AND {DELETED_AT} IS NULL" if marks_deletions(stream) else ""
        return (
            "(SELECT * FROM (SELECT raw.*, row_number() OVER ("
            f"PARTITION BY {', '.join(key_of(stream))} ORDER BY {newest}_airbyte_extracted_at DESC) AS age"
            f' FROM codat."{stream}" AS raw) AS aged WHERE age = 1 {live})'
        )

    @staticmethod
    def _sizes(ask):
        counted = (f"SELECT '{name}' AS name, count(*) AS size FROM codat.\"{name}\"" for name in SUGGESTED)
        return {row["name"]: row["size"] for row in ask(" UNION ALL ".join(counted))}

    def _current_lines(self, ask, stream):
        _, dated_by = LINES[stream]
        found: Counter = Counter()
        for row in ask(query_of_current_lines(stream, self._table(stream))):
            path = row["path"] if isinstance(row["path"], list) else json.loads(row["path"])
            period = tuple(str(row[name.lower()])[:10] for name in dated_by)
            found[row["companyid"], (period, row["section"], tuple(path), float(row["value"]))] += 1
        return found

    # --- what Codat has

    def _after(self, codat, step):
        """What the warehouse has after a good load, by the guide: from what it had and what Codat has."""
        wanted = {}
        for name, there in codat.items():
            before = self._wanted.get(name, {})
            live = {key: one for key, one in there.items() if self.choice == "keep" or not is_deleted(one)}
            # A row whose record isn't read any more stays, unless its deletion comes.
            gone_for_good = there.keys() - live.keys() if self.choice == "remove" else set()
            wanted[name] = {key: one for key, one in before.items() if key not in gone_for_good} | live
        if step is Step.FAILURE:
            company = self.companies[0]
            others = {key: one for key, one in wanted["invoices"].items() if key[0] != company}
            stayed = {key: one for key, one in self._wanted["invoices"].items() if key[0] == company}
            wanted["invoices"] = others | stayed
        return wanted

    def _truth(self):
        """Records by stream and key (company, then connection where it is part of the key, then id)."""
        found: dict = {name: {} for name in LISTS}
        for name, data_type in LISTS.items():
            for company, link, key, record in records(self._sim, data_type):
                of_list = (company, link, key) if "connectionId" in key_of(name) else (company, key)
                found[name][of_list] = record
        found["companies"] = {(one["id"],): one for one in self._answer("/companies?page=1")["results"]}
        found |= {name: {} for name in ("connections", "data_status", "company_info", *STATEMENTS)}
        for company in self.companies:
            path = f"/companies/{company}"
            for link in self._answer(f"{path}/connections?page=1")["results"]:
                found["connections"][(link["id"],)] = {"companyId": company, **link}
            status = self._answer(f"{path}/dataStatus")
            for one in status.values():
                found["data_status"][company, one["dataType"]] = one
            found["company_info"][(company,)] = {
                **self._answer(f"{path}/data/info"),
                "syncedAt": to_the_second(status["company"]["lastSuccessfulSync"]),
            }
            for name, (data_type, dated_by) in STATEMENTS.items():
                for report in self._reports(company, data_type):
                    place = (company, *(report[one][:10] for one in dated_by))
                    synced = to_the_second(status[data_type]["lastSuccessfulSync"])
                    found[name][place] = {**report, "syncedAt": synced}
        return found

    def _true_lines(self, stream):
        found: Counter = Counter()
        for company in self.companies:
            for line, number in self._lines_of(company, *LINES[stream]).items():
                found[company, line] = number
        return found

    def _lines_of(self, company, data_type, dated_by):
        return true_lines(self._reports(company, data_type), dated_by)

    def _reports(self, company, data_type):
        asked = f"periodLength=1&periodsToCompare={PERIODS}"
        return self._answer(f"/companies/{company}/data/financials/{data_type}?{asked}")["reports"]

    def _answer(self, path):
        headers = {"Authorization": self._sim.authorization}
        answer = requests.get(self._sim.url + path, headers=headers, timeout=60)
        answer.raise_for_status()
        return answer.json()

    def _of(self, company, data_type):
        return [one for one in self._sim.world.records(data_type, company) if one.get("id")]


def key_of_row(stream, row):
    """The key that `codat` has for a row of a warehouse."""
    if stream in STATEMENTS:
        _, dated_by = STATEMENTS[stream]
        return (row["companyid"], *(str(row[name.lower()])[:10] for name in dated_by))
    names = ["id" if name == "rowKey" else name for name in key_of(stream)]
    return tuple(row[name.lower()] for name in names)


def to_the_second(date):
    return f"{date[:19]}Z"


def is_deleted(record):
    return (record.get("metadata") or {}).get("isDeleted") is True


def marks_deletions(stream):
    return stream in LISTS and DATA_TYPES[LISTS[stream]].deletes_softly


def names_of(lines):
    return {(period, section, path) for period, section, path, _ in lines}
