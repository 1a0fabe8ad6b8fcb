"""Generated accounting documents: invoices, bills, credit notes, orders, direct costs and incomes."""

from __future__ import annotations

from random import Random
from typing import Any

from codat_simulator.generators.maker import Maker, Record, address, amount, note, person, rate
from codat_simulator.generators.words import GOODS


def _lines(maker: Maker, rng: Random, numbered: bool = False) -> list[Record]:
    lines: list[Record] = []
    for number in range(rng.choice((0, 1, 1, 1, 2, 3, 6))):
        quantity = rng.choice((1, 2, 0.5, 10, 3.25))
        unit = amount(rng)
        line: Record = {"description": rng.choice(GOODS), "unitAmount": unit, "quantity": quantity}
        if numbered:
            line["lineNumber"] = str(number + 1)
        line |= {
            "discountAmount": 0,
            "subTotal": unit,
            "taxAmount": round(rng.uniform(0, 100), 2),
            "totalAmount": unit,
            "accountRef": maker.ref(rng, "chartOfAccounts"),
            "discountPercentage": 0.0,
            "taxRateRef": {
                **maker.ref(rng, "taxRates"),
                "effectiveTaxRate": rng.choice((0, 5.0, 20.0, 17.5)),
            },
            "trackingCategoryRefs": [maker.ref(rng, "trackingCategories") for _ in range(rng.randrange(3))],
        }
        if rng.random() < 0.5:
            line["itemRef"] = maker.ref(rng, "items")
        if rng.random() < 0.3:
            line["tracking"] = {
                "categoryRefs": [],
                "customerRef": maker.ref(rng, "customers", "companyName"),
                "isBilledTo": "Customer",
                "isRebilledTo": "NotApplicable",
            }
        lines.append(line)
    return lines


def _money(maker: Maker, rng: Random) -> Record:
    return {"currency": maker.currency, "currencyRate": rate(rng)}


def _allocations(maker: Maker, rng: Random, data_type: str) -> list[Record]:
    if rng.random() < 0.6:
        return []
    total = amount(rng)
    payment: Record = {
        "id": maker.some_id(rng, data_type),
        "note": note(rng),
        "accountRef": maker.ref(rng, "chartOfAccounts"),
        "currency": maker.currency,
        "currencyRate": rate(rng),
        "paidOnDate": maker.when(rng),
        "totalAmount": total,
    }
    return [{"payment": payment, "allocation": {"allocatedOnDate": maker.when(rng), "totalAmount": total}}]


def _more_tax(rng: Random) -> Record:
    if rng.random() < 0.9:
        return {}
    return {"additionalTaxAmount": amount(rng, 50), "additionalTaxPercentage": 2.5}


def _totals(rng: Random, tax: str, top: int = 20_000) -> Record:
    total = amount(rng, top)
    return {"totalDiscount": 0, "subTotal": total, tax: round(rng.uniform(0, 500), 2), "totalAmount": total}


def invoice(maker: Maker, rng: Random, number: int) -> Record:
    """Return a sales invoice."""
    status = rng.choice(("Draft", "Submitted", "PartiallyPaid", "Paid", "Void", "Unknown"))
    record: Record = {
        "invoiceNumber": rng.choice((f"INV-{number:05d}", f"{number}/2024", f"№ {number}")),
        "customerRef": maker.ref(rng, "customers", "companyName"),
        "issueDate": maker.when(rng),
        "dueDate": maker.when(rng),
        "lineItems": _lines(maker, rng),
        "paymentAllocations": _allocations(maker, rng, "payments"),
        "withholdingTax": [],
        "amountDue": 0 if status == "Paid" else amount(rng),
        "discountPercentage": 0,
        "status": status,
        "note": note(rng),
        **_money(maker, rng),
        **_totals(rng, "totalTaxAmount"),
        **_more_tax(rng),
    }
    if status == "Paid":
        record["paidOnDate"] = maker.when(rng)
    if rng.random() < 0.1:
        record["salesOrderRefs"] = [{"id": maker.some_id(rng, "salesOrders"), "dataType": "salesOrders"}]
    return record


def bill(maker: Maker, rng: Random, number: int) -> Record:
    """Return a supplier's bill."""
    return {
        "reference": f"B{number:06d}",
        "supplierRef": maker.ref(rng, "suppliers", "supplierName"),
        "purchaseOrderRefs": [],
        "issueDate": maker.when(rng),
        "dueDate": maker.when(rng),
        "lineItems": _lines(maker, rng, numbered=True),
        "withholdingTax": [{"name": "CIS", "amount": amount(rng)}] if rng.random() < 0.1 else [],
        "status": rng.choice(("Open", "PartiallyPaid", "Paid", "Void", "Draft")),
        "amountDue": amount(rng),
        "note": note(rng),
        "paymentAllocations": _allocations(maker, rng, "billPayments"),
        **_money(maker, rng),
        **{name: value for name, value in _totals(rng, "taxAmount").items() if name != "totalDiscount"},
    }


def _credit(maker: Maker, rng: Random, party: Record, numbering: Record) -> Record:
    return {
        **numbering,
        **party,
        "withholdingTax": [],
        **_totals(rng, "totalTaxAmount"),
        "discountPercentage": 0,
        "remainingCredit": amount(rng),
        "status": rng.choice(("Submitted", "Paid", "PartiallyPaid", "Void")),
        "issueDate": maker.when(rng),
        "allocatedOnDate": maker.when(rng),
        "lineItems": _lines(maker, rng),
        "paymentAllocations": _allocations(maker, rng, "payments"),
        "note": note(rng),
        **_money(maker, rng),
    }


def credit_note(maker: Maker, rng: Random, number: int) -> Record:
    """Return a credit note to a customer."""
    party = {"customerRef": maker.ref(rng, "customers", "companyName")}
    return {**_credit(maker, rng, party, {"creditNoteNumber": f"CN-{number}"}), **_more_tax(rng)}


def bill_credit_note(maker: Maker, rng: Random, number: int) -> Record:
    """Return a supplier's credit note."""
    party = {"supplierRef": maker.ref(rng, "suppliers", "supplierName")}
    record = _credit(maker, rng, party, {"billCreditNoteNumber": f"{number:04d}"})
    return {**record, "createdFromRefs": [{"id": maker.some_id(rng, "bills"), "dataType": "bills"}]}


def _direct(maker: Maker, rng: Random, number: int, party: str) -> Record:
    return {
        "reference": f"REF {number}",
        "note": note(rng),
        "contactRef": {"id": maker.some_id(rng, party), "dataType": party},
        "issueDate": maker.when(rng),
        "lineItems": _lines(maker, rng),
        "paymentAllocations": _allocations(maker, rng, "payments"),
        "taxAmount": round(rng.uniform(0, 100), 2),
        "subTotal": amount(rng),
        "totalAmount": amount(rng),
        **_money(maker, rng),
    }


def direct_cost(maker: Maker, rng: Random, number: int) -> Record:
    """Return a purchase paid at once."""
    return _direct(maker, rng, number, "suppliers")


def direct_income(maker: Maker, rng: Random, number: int) -> Record:
    """Return a sale paid at once."""
    return _direct(maker, rng, number, "customers")


def _order(maker: Maker, rng: Random) -> Record:
    contact: Record = {"name": person(rng), "email": "orders@example.com", "phone": "+44 20 7946 0000"}
    return {
        "issueDate": maker.when(rng),
        "expectedDeliveryDate": maker.when(rng),
        "note": note(rng),
        "shipTo": {"contact": contact, "address": address(rng)},
        "lineItems": _lines(maker, rng),
        **_money(maker, rng),
        **_totals(rng, "totalTaxAmount"),
    }


def purchase_order(maker: Maker, rng: Random, number: int) -> Record:
    """Return an order to a supplier."""
    return {
        "purchaseOrderNumber": f"PO{number}",
        "supplierRef": maker.ref(rng, "suppliers", "supplierName"),
        "status": rng.choice(("Draft", "Open", "Closed", "Void")),
        "paymentDueDate": maker.when(rng),
        "deliveryDate": maker.when(rng),
        "createdBy": {"email": "zoe@example.com", "firstName": "Zoë", "lastName": "Brontë"},
        **_order(maker, rng),
    }


def sales_order(maker: Maker, rng: Random, number: int) -> Record:
    """Return an order of a customer."""
    return {
        "salesOrderNumber": f"SO-{number}",
        "customerPurchaseOrderNumber": rng.choice((f"{number}", None)),
        "customerRef": maker.ref(rng, "customers", "companyName"),
        "status": rng.choice(("Draft", "Open", "Closed", "Void")),
        "invoicingStatus": rng.choice(("NotInvoiced", "PartiallyInvoiced", "Invoiced")),
        **_order(maker, rng),
    }


def item_receipt(maker: Maker, rng: Random, number: int) -> Record:
    """Return the receipt of ordered goods."""
    total = amount(rng)
    order: Any = maker.some_id(rng, "purchaseOrders")
    return {
        "supplierRef": maker.ref(rng, "suppliers", "supplierName"),
        "purchaseOrderRefs": [{"id": order, "purchaseOrderNumber": f"PO{number}"}],
        "receivedDate": maker.when(rng),
        "reference": f"GRN {number}",
        "note": note(rng),
        "status": rng.choice(("Open", "Closed")),
        "subTotal": total,
        "totalAmount": total,
        "lineItems": _lines(maker, rng, numbered=True),
        **_money(maker, rng),
    }
