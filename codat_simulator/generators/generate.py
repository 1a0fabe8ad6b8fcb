"""Which generator makes the records of which data type."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from codat_simulator.definitions.data_types import DATA_TYPES
from codat_simulator.generators import bank_records, documents, registers, shop_records
from codat_simulator.generators.made_up import made_up
from codat_simulator.generators.maker import Maker, Record, metadata, note, roughen
from codat_simulator.instants import known

Generator = Callable[[Maker, Random, int], Record]

GENERATORS: dict[str, Generator] = {
    "chartOfAccounts": registers.account,
    "accountTransactions": registers.account_transaction,
    "bankAccounts": registers.bank_account,
    "bankTransactions": registers.bank_transaction,
    "billCreditNotes": documents.bill_credit_note,
    "billPayments": registers.bill_payment,
    "bills": documents.bill,
    "creditNotes": documents.credit_note,
    "customers": registers.customer,
    "directCosts": documents.direct_cost,
    "directIncomes": documents.direct_income,
    "invoices": documents.invoice,
    "itemReceipts": documents.item_receipt,
    "items": registers.item,
    "journalEntries": registers.journal_entry,
    "journals": registers.journal,
    "paymentMethods": registers.payment_method,
    "payments": registers.payment,
    "purchaseOrders": documents.purchase_order,
    "salesOrders": documents.sales_order,
    "suppliers": registers.supplier,
    "taxRates": registers.tax_rate,
    "trackingCategories": registers.tracking_category,
    "transfers": registers.transfer,
    "banking-accounts": bank_records.account,
    "banking-transactions": bank_records.transaction,
    "banking-accountBalances": bank_records.balance,
    "banking-transactionCategories": bank_records.category,
    "commerce-customers": shop_records.customer,
    "commerce-disputes": shop_records.dispute,
    "commerce-locations": shop_records.location,
    "commerce-orders": shop_records.order,
    "commerce-paymentMethods": shop_records.payment_method,
    "commerce-payments": shop_records.payment,
    "commerce-productCategories": shop_records.product_category,
    "commerce-products": shop_records.product,
    "commerce-taxComponents": shop_records.tax_component,
    "commerce-transactions": shop_records.transaction,
}
_KEPT = frozenset(
    {"id", "accountId", "metadata", "status", "parentId", "amount", "date", "description", "contacts"}
)
# What `generate` adds to what a data type's own generator returns, and the dataset after it.
_ADDED = frozenset({"id", "metadata", "supplementalData", "sourceModifiedDate", "modifiedDate"})
# The platform that gives bank lines no id, and the data type that never has one.
_WITHOUT_ID = {("Xero", "bankTransactions")}
ALWAYS_WITHOUT_ID = "banking-accountBalances"


def generate(maker: Maker, data_type: str, number: int) -> Record:
    """Return the n-th record of a data type, without its modifiedDate."""
    rng = maker.random(data_type, number)
    if data_type.startswith("custom/"):
        return _custom(maker, rng, number)
    generator = GENERATORS.get(data_type)
    record = (
        roughen(rng, generator(maker, rng, number), _KEPT)
        if generator
        else _from_shape(maker, data_type, number)
    )
    if data_type != ALWAYS_WITHOUT_ID and (maker.platform.name, data_type) not in _WITHOUT_ID:
        record = {"id": maker.id(data_type, number), **record}
    kind = DATA_TYPES[data_type]
    if kind.deletes_softly and data_type != "trackingCategories":
        record |= metadata(rng)
    if kind.shape.kinds.get("supplementalData") and rng.random() < 0.15:
        record["supplementalData"] = rng.choice((None, {"content": {"región": {"a/b": [1, None, "x"]}}}))
    if kind.source_type != "Banking":
        touched = maker.touched(rng)
        if touched is not None or rng.random() < 0.5:
            record["sourceModifiedDate"] = touched
    return record


def _from_shape(maker: Maker, data_type: str, number: int) -> Record:
    """Return the n-th record of a data type without a generator, less what all data types have."""
    until = known(maker.today.isoformat())
    record = made_up(DATA_TYPES[data_type].shape, f"{maker.seed}/{data_type}/{number}", until)
    return {name: value for name, value in record.items() if name not in _ADDED}


def _custom(maker: Maker, rng: Random, number: int) -> Record:
    content = {"No_": f"PO/{number}", "Höhe": number * 1.5, "note": note(rng), "lines": [{"n": 1}, None]}
    return {"id": maker.id("custom", number), "content": content}
