"""Generated commerce records: orders, products, payments and what belongs to them."""

# ruff: noqa: ARG001 - every generator takes the same three arguments
from __future__ import annotations

from random import Random

from codat_simulator.generators.maker import Maker, Record, address, amount, note
from codat_simulator.generators.words import CITIES


def _created(maker: Maker, rng: Random) -> Record:
    return {
        "createdDate": maker.day(rng).isoformat()
        + rng.choice(("T08:01:02Z", "T08:01:02.1234567Z", "T08:01:02"))
    }


def customer(maker: Maker, rng: Random, number: int) -> Record:
    """Return a shop's customer."""
    return {
        "customerName": maker.title("commerce-customers", number),
        "emailAddress": "shopper@example.com",
        "phone": "07400 000000",
        "defaultCurrency": maker.currency,
        "addresses": [address(rng)],
        "note": note(rng),
        **_created(maker, rng),
    }


def dispute(maker: Maker, rng: Random, number: int) -> Record:
    """Return a disputed payment."""
    disputed = {"id": maker.some_id(rng, "commerce-payments"), "type": "Payment"}
    return {
        "disputedTransactions": [disputed],
        "totalAmount": amount(rng),
        "currency": maker.currency,
        "status": rng.choice(("Won", "Lost", "ProcessingRequired")),
        "reason": note(rng),
        "dueDate": maker.when(rng),
        **_created(maker, rng),
    }


def location(maker: Maker, rng: Random, number: int) -> Record:
    """Return a shop's location."""
    return {"name": CITIES[number % len(CITIES)][0], "address": address(rng)}


def order(maker: Maker, rng: Random, number: int) -> Record:
    """Return an order."""
    lines = []
    for line_number in range(rng.choice((1, 1, 2, 4))):
        total = amount(rng, 300)
        tax = {"taxComponentRef": maker.ref(rng, "commerce-taxComponents"), "rate": 0.2, "taxAmount": 1.25}
        line: Record = {
            "id": f"{number}-{line_number}",
            "quantity": rng.choice((1, 2, 0.25)),
            "taxPercentage": 20,
            "totalAmount": total,
            "totalTaxAmount": 1.25,
            "unitPrice": total,
            "taxes": [tax],
            "productRef": maker.ref(rng, "commerce-products"),
            "discountAllocations": [],
        }
        lines.append(line)
    paid: Record = {
        "id": maker.some_id(rng, "commerce-payments"),
        "amount": amount(rng),
        "currency": maker.currency,
    }
    return {
        "orderNumber": f"#{1000 + number}",
        "country": rng.choice(CITIES)[2],
        "currency": maker.currency,
        "closedDate": maker.when(rng),
        "totalAmount": amount(rng),
        "totalRefund": 0,
        "totalTaxAmount": 2.5,
        "totalDiscount": 0.0,
        "totalGratuity": 0,
        "orderLineItems": lines,
        "payments": [{**paid, "status": "Paid", "paymentProvider": "Visa"}],
        "serviceCharges": [
            {"description": "Shipping", "totalAmount": 4.99, "type": "Shipping", "quantity": 1}
        ],
        "locationRef": maker.ref(rng, "commerce-locations"),
        "customerRef": maker.ref(rng, "commerce-customers"),
        **_created(maker, rng),
    }


def payment_method(maker: Maker, rng: Random, number: int) -> Record:
    """Return a way to pay in a shop."""
    return {"name": rng.choice(("Visa", "Amex", "Twint", "現金")), "status": "Active"}


def payment(maker: Maker, rng: Random, number: int) -> Record:
    """Return a payment in a shop."""
    return {
        "amount": amount(rng),
        "currency": maker.currency,
        "paymentMethodRef": maker.ref(rng, "commerce-paymentMethods"),
        "status": rng.choice(("Paid", "Pending", "Failed", "Refunded")),
        "paymentProvider": "Stripe",
        "dueDate": maker.when(rng),
        **_created(maker, rng),
        **({"type": "Sale"} if number % 2 else {}),
    }


def product_category(maker: Maker, rng: Random, number: int) -> Record:
    """Return a product category."""
    above = [{"id": maker.id("commerce-productCategories", number - 1), "type": "commerce-productCategories"}]
    return {
        "name": f"Größe {number}",
        "ancestorRefs": above if number % 2 else [],
        "hasChildren": number % 2 == 0,
    }


def product(maker: Maker, rng: Random, number: int) -> Record:
    """Return a product with its variants."""
    variants = [
        {
            "id": f"{number}/{variant}",
            "name": rng.choice(("S", "M", "X/L", "Default Title")),
            "sku": f"SKU-{number}-{variant}",
            "barcode": "0012345678905",
            "prices": [{"currency": maker.currency, "unitPrice": amount(rng, 90)}],
            "inventory": {"totalQuantity": rng.randrange(500), "locations": []},
            "isTaxEnabled": True,
            "status": "Published",
        }
        for variant in range(rng.randrange(1, 4))
    ]
    return {
        "name": maker.title("commerce-products", number),
        "description": "<p>Handmade</p>",
        "categorization": "Home > Kitchen",
        "isGiftCard": False,
        "variants": variants,
        "productCategoryRefs": [],
        "status": "Published",
        **_created(maker, rng),
    }


def tax_component(maker: Maker, rng: Random, number: int) -> Record:
    """Return a part of a tax."""
    return {"name": f"MwSt {number}", "rate": rng.choice((0.2, 0.077, 0)), "isCompound": False}


def transaction(maker: Maker, rng: Random, number: int) -> Record:
    """Return a movement on a shop's balance."""
    source = {"id": maker.some_id(rng, "commerce-payments"), "type": "Payment"}
    return {
        "totalAmount": amount(rng),
        "currency": maker.currency,
        "type": rng.choice(("Payment", "Refund", "Payout", "PaymentFee")),
        "subType": "charge",
        "transactionSourceRef": source,
        "sourceCreatedDate": maker.when(rng),
        **_created(maker, rng),
    }
