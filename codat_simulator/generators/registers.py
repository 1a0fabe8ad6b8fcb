"""Generated accounting registers and movements: accounts, contacts, items, payments, journals, bank lines."""

# ruff: noqa: ARG001 - every generator takes the same three arguments
from __future__ import annotations

from random import Random

from codat_simulator.generators.maker import Maker, Record, address, amount, note, person, rate
from codat_simulator.generators.words import ACCOUNT_NAMES


def account(maker: Maker, rng: Random, number: int) -> Record:
    """Return a nominal account."""
    kind = ("Income", "Expense", "Asset", "Liability", "Equity")[number % 5]
    name = maker.title("chartOfAccounts", number)
    return {
        "nominalCode": f"{4000 + number}",
        "name": name,
        "description": note(rng),
        "fullyQualifiedCategory": f"{kind}.{ACCOUNT_NAMES[number % 4]}",
        "fullyQualifiedName": f"{kind}.{ACCOUNT_NAMES[number % 4]}.{name}",
        "currency": maker.currency,
        "currentBalance": amount(rng, 10**7),
        "type": kind,
        "status": rng.choice(("Active", "Archived", "Pending")),
        "isBankAccount": number % 4 == 3,
        "validDatatypeLinks": [{"property": "Id", "links": ["Invoice.LineItems.AccountRef.Id"]}],
    }


def _contact(maker: Maker, rng: Random) -> Record:
    return {
        "contactName": person(rng),
        "emailAddress": rng.choice(("a@example.com", "jose@exämple.es", "x+y@example.co.uk")),
        "defaultCurrency": maker.currency,
        "phone": rng.choice(("+44 (0)20 7946 0018", "07400 000000", "1-800-FLOWERS")),
        "addresses": [address(rng) for _ in range(rng.randrange(3))],
        "registrationNumber": f"{rng.randrange(10**8):08d}",
        "taxNumber": f"GB{rng.randrange(10**9):09d}",
        "status": rng.choice(("Active", "Archived")),
    }


def customer(maker: Maker, rng: Random, number: int) -> Record:
    """Return a customer."""
    contact: Record = {"name": person(rng), "email": None, "phone": [{"number": "020", "type": "Primary"}]}
    return {
        "customerName": maker.title("customers", number),
        "contacts": [{**contact, "address": address(rng), "status": "Active"}] if rng.random() < 0.5 else [],
        **_contact(maker, rng),
    }


def supplier(maker: Maker, rng: Random, number: int) -> Record:
    """Return a supplier."""
    return {"supplierName": maker.title("suppliers", number), **_contact(maker, rng)}


def item(maker: Maker, rng: Random, number: int) -> Record:
    """Return something bought or sold."""
    priced: Record = {
        "description": note(rng),
        "unitPrice": amount(rng, 200),
        "accountRef": maker.ref(rng, "chartOfAccounts"),
        "taxRateRef": {**maker.ref(rng, "taxRates"), "effectiveTaxRate": rng.choice((0, 20.0))},
    }
    return {
        "name": maker.title("items", number),
        "code": f"SKU/{number}",
        "itemStatus": rng.choice(("Active", "Archived", "Unknown")),
        "type": rng.choice(("Inventory", "NonInventory", "Service", "Unknown")),
        "isBillItem": number % 2 == 0,
        "isInvoiceItem": True,
        "invoiceItem": priced,
        **({"billItem": priced} if number % 2 == 0 else {}),
    }


def _payment(maker: Maker, rng: Random, number: int, linked: str) -> Record:
    total = amount(rng)
    link = {"type": linked.capitalize().rstrip("s"), "id": maker.some_id(rng, linked), "amount": total}
    return {
        "accountRef": maker.ref(rng, "chartOfAccounts"),
        "paymentMethodRef": maker.ref(rng, "paymentMethods"),
        "totalAmount": total,
        "currency": maker.currency,
        "currencyRate": rate(rng),
        "date": maker.when(rng),
        "note": note(rng),
        "lines": [{"amount": total, "links": [link], "allocatedOnDate": maker.when(rng)}],
        "reference": f"PMT {number}",
    }


def payment(maker: Maker, rng: Random, number: int) -> Record:
    """Return a customer's payment."""
    return {
        "customerRef": maker.ref(rng, "customers", "companyName"),
        **_payment(maker, rng, number, "invoices"),
    }


def bill_payment(maker: Maker, rng: Random, number: int) -> Record:
    """Return a payment to a supplier."""
    return {
        "supplierRef": maker.ref(rng, "suppliers", "supplierName"),
        **_payment(maker, rng, number, "bills"),
    }


def payment_method(maker: Maker, rng: Random, number: int) -> Record:
    """Return a way to pay."""
    kind = ("Cash", "Check", "CreditCard", "BankTransfer", "Other")[number % 5]
    return {"name": f"{kind} {number}", "type": kind, "status": rng.choice(("Active", "Archived"))}


def account_transaction(maker: Maker, rng: Random, number: int) -> Record:
    """Return a movement on an account."""
    total = amount(rng)
    line: Record = {"description": note(rng), "amount": total}
    line["recordRef"] = {"id": maker.some_id(rng, "payments"), "dataType": "payments"}
    return {
        "transactionId": f"{number}",
        "note": note(rng),
        "bankAccountRef": maker.ref(rng, "bankAccounts"),
        "date": maker.when(rng),
        "status": rng.choice(("Reconciled", "Unreconciled", "Unknown")),
        "currency": maker.currency,
        "currencyRate": rate(rng),
        "lines": [line],
        "totalAmount": total,
    }


def bank_account(maker: Maker, rng: Random, number: int) -> Record:
    """Return a bank account as the accounting platform sees it."""
    return {
        "accountName": f"Bank {maker.title('bankAccounts', number)}",
        "accountType": rng.choice(("Debit", "Credit", "Unknown")),
        "nominalCode": f"{1200 + number}",
        "sortCode": "12-34-56",
        "accountNumber": f"{rng.randrange(10**8):08d}",
        "iBan": "GB29NWBK60161331926819",
        "currency": maker.currency,
        "balance": amount(rng, 10**6),
        "institution": "Crédit Agricole",
        "availableBalance": amount(rng),
        "overdraftLimit": 0,
        "status": "Active",
    }


def bank_transaction(maker: Maker, rng: Random, number: int) -> Record:
    """Return a line of a bank account; some platforms give it no id, and repeat it word for word."""
    value = rng.choice((amount(rng), 9.99))
    line: Record = {
        "accountId": maker.id("bankAccounts", number % maker.count("bankAccounts")),
        "clearedOnDate": maker.when(rng),
        "description": note(rng),
        "reconciled": rng.random() < 0.5,
        "amount": value,
        "balance": amount(rng),
        "transactionType": rng.choice(("Credit", "Debit", "Fee", "Unknown")),
    }
    if rng.random() < 0.2:
        line["counterparty"] = maker.title("suppliers", number)
    if maker.platform.name == "Xero":
        # Two coffees on one day: equal rows that both count.
        if number % 5 < 2:
            line |= {"clearedOnDate": "2024-02-29T00:00:00", "description": "Coffee", "reconciled": True}
            line |= {"amount": 3.2, "balance": 100, "transactionType": "Debit"}
        if rng.random() < 0.2:
            line["accountId"] = None
    return line


def tax_rate(maker: Maker, rng: Random, number: int) -> Record:
    """Return a tax rate."""
    percent = rng.choice((0, 5, 17.5, 20.0))
    return {
        "name": f"VAT {percent}% №{number}",
        "code": f"OUTPUT{number}",
        "status": "Active",
        "effectiveTaxRate": percent,
        "totalTaxRate": percent,
        "components": [{"name": "VAT", "rate": percent, "isCompound": False}],
        "validDatatypeLinks": [],
        **({"temp_IsTaxable": True} if number % 3 == 0 else {}),
    }


def tracking_category(maker: Maker, rng: Random, number: int) -> Record:
    """Return a tracking category, some with a parent."""
    parent = {"parentId": maker.id("trackingCategories", number - 1)} if number % 3 else {}
    return {"name": f"Région {number}", "status": "Active", "hasChildren": number % 3 != 2, **parent}


def journal(maker: Maker, rng: Random, number: int) -> Record:
    """Return a journal."""
    return {
        **({"parentId": maker.id("journals", number - 1)} if number % 4 == 3 else {}),
        "journalCode": f"J{number}",
        "name": maker.title("journals", number),
        "type": rng.choice(("General", "Sales", "Bank")),
        "hasChildren": False,
        "createdOn": maker.when(rng),
        "status": "Active",
    }


def journal_entry(maker: Maker, rng: Random, number: int) -> Record:
    """Return a balanced entry of a journal."""
    total = amount(rng)
    lines = [
        {
            "description": note(rng),
            "netAmount": sign * total,
            "currency": maker.currency,
            "accountRef": maker.ref(rng, "chartOfAccounts"),
        }
        for sign in (1, -1)
    ]
    return {
        "description": note(rng),
        "postedOn": maker.when(rng),
        "createdOn": maker.when(rng),
        "updatedOn": maker.when(rng),
        "journalRef": maker.ref(rng, "journals"),
        "journalLines": lines,
        "recordRef": {"id": maker.some_id(rng, "invoices"), "dataType": "invoices"},
    }


def transfer(maker: Maker, rng: Random, number: int) -> Record:
    """Return a transfer between two accounts."""
    value = amount(rng)
    sides = {
        side: {
            "accountRef": {**maker.ref(rng, "bankAccounts"), "dataType": "bankAccounts"},
            "currency": maker.currency,
            "amount": value,
            **({"status": "Unreconciled"} if rng.random() < 0.3 else {}),
        }
        for side in ("from", "to")
    }
    contact = {"contactRef": {"id": maker.some_id(rng, "customers"), "dataType": "customers"}}
    return {
        "description": note(rng),
        "date": maker.when(rng),
        **(contact if number % 2 else {}),
        **sides,
        "status": "Reconciled",
        "trackingCategoryRefs": [],
        "depositedRecordRefs": [{"id": maker.some_id(rng, "payments"), "dataType": "payments"}],
    }
