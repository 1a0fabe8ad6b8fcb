"""The endpoints outside `/data/` that answer with records in an envelope: one row of a table each.

To serve another one, add a row to `ENDPOINTS`. Its path and its fields are enough: the records are made up.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from codat_simulator.definitions.platforms import INTEGRATION
from codat_simulator.definitions.shape import Shape, shape
from codat_simulator.generators.made_up import made_up
from codat_simulator.http.answers import Answer, Refusal
from codat_simulator.http.call import Call
from codat_simulator.http.envelopes import ContinuedPages, Envelope, Pages, SingleObject, WholeList
from codat_simulator.http.routing import ROUTES
from codat_simulator.instants import TICKS
from codat_simulator.records.dataset import Dataset, Record, listed
from codat_simulator.routes import addons, companies, lending, reports
from codat_simulator.world.addons import addon_list
from codat_simulator.world.companies import COMPANY, CONNECTION

_PAGES = Pages()
_DAY = 86_400 * TICKS
Found = Iterable[Record] | Dataset | Answer
"""The records of an answer; or the answer itself, where an endpoint has odd cases of its own."""


@dataclass(frozen=True)
class Endpoint:
    """One row: where an endpoint is, which records it has, and in which envelope it answers."""

    path: str
    """As Codat documents it, with placeholders as in `/companies/{companyId}/push`."""
    fields: str | Shape = ""
    """What the records hold and queries can name, written as `definitions.shape.shape` reads it."""
    envelope: Envelope = _PAGES
    records: Callable[[Call], Found] | None = None
    """Returns the records; where left out, they are made up from `fields` and kept in `World.elsewhere`."""
    source_type: str = ""
    """The kind of connection that has these records, as `Banking`; others are answered 404."""
    count: int = 12
    """How many records are made up for each path."""
    always: str = "id"
    """Which made-up fields are in every record, separated by spaces: the key and the cursor."""
    values: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    """The values of made-up fields that have only a few, by dotted name."""

    @property
    def shape(self) -> Shape:
        """Return what the records hold, named after the path's last word where the row gives no name."""
        if isinstance(self.fields, Shape):
            return self.fields
        return shape(self.path.rpartition("/")[2], self.fields)

    def answer(self, call: Call) -> Answer:
        """Answer a call; refused with 404 for an unknown company or connection, or one of another kind."""
        self._check_connections(call)
        found = self.records(call) if self.records else self._made_up(call)
        if isinstance(found, Answer):
            return found
        return self.envelope.answer(call, found if isinstance(found, Dataset) else listed(found, self.shape))

    def _check_connections(self, call: Call) -> None:
        wanted = self.source_type
        if "connectionId" in call.params:
            if wanted and call.connection.platform.source_type != wanted:
                raise Refusal(404, f"Connection is not of type {wanted}.")
        elif "companyId" in call.params:
            kinds = {link.platform.source_type for link in call.company.connections}
            if wanted and wanted not in kinds:
                raise Refusal(404, f"No data available: the company has no {wanted} connection.")

    def _made_up(self, call: Call) -> list[Record]:
        """Return the records of the call's path, made up when it is first asked for."""
        kept, path = call.world.elsewhere, call.request.path
        if path not in kept:
            today = call.world.clock.ticks() // _DAY * _DAY
            always, seeds = frozenset(self.always.split()), range(self.count)
            kept[path] = [
                made_up(self.shape, f"{call.world.seed}{path}/{number}", today, always, self.values)
                for number in seeds
            ]
        return kept[path]


def _addon(name: str) -> Callable[[Call], Found]:
    """Return the records of a company's add-on list, which tests change with `World.put_addon`."""
    return lambda call: addon_list(call.company, name)


_COMPANY = "/companies/{companyId}"
_CONNECTION = _COMPANY + "/connections/{connectionId}"
_STATEMENT = _COMPANY + "/reports/categorizedBankStatement/{reportId}"
_INTEGRITY = "/data/companies/{companyId}/assess/dataTypes/{dataType}/dataIntegrity"
_PUSH = shape(
    "PushOperation",
    "changes[] dataType companyId pushOperationKey dataConnectionKey requestedOnUtc:d completedOnUtc:d"
    " timeoutInMinutes:n timeoutInSeconds:n status errorMessage validation* statusCode:n",
)
_STATEMENT_ACCOUNT = shape(
    "Account",
    "id sourceRef{sourceType} platformName accountProvider accountName accountType currency currentBalance:n",
)
_STATEMENT_LINE = shape(
    "Transaction",
    "id date:d description amount:n currency platformName sourceRef{sourceType} accountRef{id name}"
    " modifiedDate:d isRecurring:b",
)
_SPENDING = shape("Supplier", "supplierId supplierName billsCount:n billsAmount:n paymentsCount:n")
_INVOICE = shape(
    "Invoice",
    "id invoiceNumber customerRef{id customerName} issueDate:d dueDate:d status currency totalAmount:n"
    " amountDue:n payments[] paidOnDate:d modifiedDate:d sourceModifiedDate:d",
)
_MATCH = shape("Detail", "id type connectionId date:d description amount:n currency matches[]")
_EXPENSE = shape("Transaction", "transactionId status message integrationType")
_PAYABLE = "status sourceModifiedDate:d"

_INVOICE_PAGES = Pages(
    under="reportItems",
    counters_in="reportInfo",
    beside_counters={"reportName": "Enhanced Invoices"},
    links=False,
    orderable=False,
)
_TO_BE_PAID = ContinuedPages(unless_asked={"status": "status=Open||status=PartiallyPaid"})

ENDPOINTS = (
    Endpoint("/companies", COMPANY, records=companies.companies),
    Endpoint(f"{_COMPANY}/connections", CONNECTION, records=companies.connections),
    Endpoint("/integrations", INTEGRATION, records=companies.integrations),
    Endpoint(f"{_COMPANY}/push", _PUSH, records=_addon("pushes")),
    Endpoint(f"{_COMPANY}/syncSettings", envelope=SingleObject(), records=addons.sync_settings),
    Endpoint(f"{_COMPANY}/files", envelope=WholeList(), records=_addon("files")),
    Endpoint(
        f"{_CONNECTION}/connectionInfo/bankFeedAccounts",
        envelope=WholeList(),
        records=_addon("bankFeedAccounts"),
        source_type="BankFeed",
    ),
    Endpoint(
        f"{_COMPANY}/sync/expenses/syncs/list/status",
        envelope=WholeList(),
        records=_addon("expenseSyncs"),
        source_type="Expense",
    ),
    Endpoint(
        f"{_COMPANY}/sync/expenses/syncs/{{syncId}}/transactions",
        _EXPENSE,
        Pages(queryable=False, orderable=False),
        addons.expense_transactions,
    ),
    Endpoint(
        f"{_CONNECTION}/payables/bills",
        shape("Bill", _PAYABLE),
        _TO_BE_PAID,
        addons.payable_bills,
        source_type="Accounting",
    ),
    Endpoint(
        f"{_CONNECTION}/payables/suppliers",
        shape("Supplier", _PAYABLE),
        ContinuedPages(),
        addons.payable_suppliers,
        source_type="Accounting",
    ),
    *(
        Endpoint(
            f"{_CONNECTION}/data/{kind}/{{recordId}}/attachments",
            envelope=WholeList(under="attachments"),
            records=addons.attachments_of(kind),
        )
        for kind in addons.ATTACHED
    ),
    Endpoint(f"{_COMPANY}/reports", reports.REPORT, records=reports.generated_reports),
    Endpoint(f"{_STATEMENT}/accounts", _STATEMENT_ACCOUNT, records=reports.statement_accounts),
    Endpoint(f"{_STATEMENT}/transactions", _STATEMENT_LINE, records=reports.statement_transactions),
    Endpoint(
        f"{_COMPANY}/reports/creditModel/{{reportId}}/financialSummary",
        envelope=SingleObject(),
        records=reports.financial_summary,
    ),
    Endpoint(
        f"{_COMPANY}/reports/spendAnalysis/{{reportId}}/suppliers",
        _SPENDING,
        Pages(counters=False, links=False),
        reports.spending_by_supplier,
    ),
    Endpoint(
        f"{_COMPANY}/reports/spendAnalysis/{{reportId}}/paymentMethods",
        shape("PaymentMethod", "biggestCountPaymentMethod suppliersCount:n billsCount:n billsAmount:n"),
        Pages(counters=False, links=False),
        reports.spending_by_payment_method,
    ),
    Endpoint(f"{_COMPANY}/reports/enhancedInvoices", _INVOICE, _INVOICE_PAGES, lending.reconciled_invoices),
    Endpoint(f"{_INTEGRITY}/status", "type", WholeList(under="metadata"), lending.integrity_status),
    Endpoint(
        f"{_INTEGRITY}/summaries",
        shape("Summary", "type"),
        WholeList(under="summaries", queryable=True),
        lending.integrity_summaries,
    ),
    Endpoint(f"{_INTEGRITY}/details", _MATCH, records=lending.integrity_details),
)


def serve(endpoint: Endpoint) -> None:
    """Answer GET on an endpoint's path from now on."""
    ROUTES.add("GET", endpoint.path, endpoint.answer)


for _endpoint in ENDPOINTS:
    serve(_endpoint)
