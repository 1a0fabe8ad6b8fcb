"""Generated banking records: accounts, transactions, balances, categories."""

# ruff: noqa: ARG001 - every generator takes the same three arguments
from __future__ import annotations

from datetime import timedelta
from random import Random

from codat_simulator.generators.maker import Maker, Record, amount
from codat_simulator.generators.words import CATEGORIES, COMPANY_NAMES


def _balance(rng: Random) -> Record:
    return {"available": amount(rng), "current": amount(rng), "limit": rng.choice((0, 1000, None))}


def account(maker: Maker, rng: Random, number: int) -> Record:
    """Return a bank account; every third in an older form."""
    record: Record = {
        "name": f"Current account {number}",
        "informalName": "Everyday ☕",
        "holder": maker.company_name,
        "type": rng.choice(("Debit", "Credit", "Unknown")),
        "balance": _balance(rng),
        "identifiers": {
            "type": "Depository",
            "subtype": "checking",
            "number": f"{rng.randrange(10**8):08d}",
            "bankCode": "200000",
            "maskedAccountNumber": "••••1234",
            **({"iban": "FR7630006000011234567890189", "bic": "SOGEFRPP"} if number % 2 else {}),
        },
        "currency": maker.currency,
        "institution": {"id": "ins_1", "name": "Société Générale"},
    }
    if number % 3 == 2:
        record["accountName"] = record.pop("name")
        record["accountHolder"] = record.pop("holder")
        record["accountType"] = record.pop("type")
    return record


def transaction(maker: Maker, rng: Random, number: int) -> Record:
    """Return a bank transaction."""
    day = maker.day(rng, 400)
    record: Record = {
        "accountId": maker.some_id(rng, "banking-accounts"),
        "description": rng.choice(("CARD PAYMENT 12/03", "Überweisung", "SQ *COFFEE", "Direct debit\tREF")),
        "amount": amount(rng) if rng.random() < 0.3 else -round(rng.uniform(1, 900), 2),
        "currency": maker.currency,
        "authorizedDate": day.isoformat() + "T00:00:00",
        "code": rng.choice(("Payment", "Fee", "Transfer", "Unknown")),
        "merchantName": rng.choice(COMPANY_NAMES),
        "transactionCategoryRef": maker.ref(rng, "banking-transactionCategories"),
    }
    if rng.random() < 0.8:
        record["postedDate"] = (day + timedelta(days=1)).isoformat() + rng.choice(("T00:00:00Z", "T00:00:00"))
    return record


def balance(maker: Maker, rng: Random, number: int) -> Record:
    """Return an account's balance on a day: no id, and the day may come twice."""
    day = maker.today - timedelta(days=number // 3)
    return {
        "accountId": maker.id("banking-accounts", number % maker.count("banking-accounts")),
        "balance": _balance(rng),
        "date": day.isoformat() + "T00:00:00",
    }


def category(maker: Maker, rng: Random, number: int) -> Record:
    """Return a transaction category, some below another."""
    parent = {"parentId": maker.id("banking-transactionCategories", number // 4)} if number > 3 else {}
    name = CATEGORIES[number % len(CATEGORIES)]
    return {"name": f"{name} {number}", "hasChildren": number < 4, "status": "Active", **parent}
