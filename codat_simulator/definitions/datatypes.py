"""Every data type: accounting, banking, commerce, and those that aren't lists."""

from __future__ import annotations

from codat_simulator.definitions.accounting_types import ACCOUNTING_TYPES
from codat_simulator.definitions.datatype import ADDRESS, STAMPS, DataType
from codat_simulator.definitions.shape import shape


def _other(key: str, name: str, text: str, weight: float = 1.0, queryable: bool = True) -> DataType:
    source_type = "Commerce" if key.startswith("commerce") else "Banking"
    return DataType(key, key, source_type, True, shape(name, text + STAMPS), False, True, queryable, weight)


_TYPES = [
    *ACCOUNTING_TYPES,
    _other(
        "banking-accounts",
        "Account",
        "id name informalName holder type balance{available:n current:n limit:n} currency"
        " institution{id name}"
        " identifiers{type subtype number bankCode iban bic maskedAccountNumber}",
        0.1,
    ),
    _other(
        "banking-transactions",
        "Transaction",
        "id accountId description amount:n currency postedDate:d authorizedDate:d code merchantName"
        " transactionCategoryRef{id name}",
        3,
    ),
    _other(
        "banking-accountBalances",
        "AccountBalance",
        "accountId balance{available:n current:n limit:n} date:d",
        1,
    ),
    _other(
        "banking-transactionCategories", "TransactionCategory", "id name parentId hasChildren:b status", 0.5
    ),
    _other(
        "commerce-customers",
        "Customer",
        "id customerName emailAddress phone defaultCurrency addresses[] note createdDate:d",
    ),
    _other(
        "commerce-disputes",
        "Dispute",
        "id disputedTransactions[] totalAmount:n currency status reason dueDate:d createdDate:d",
        0.2,
    ),
    _other("commerce-locations", "Location", f"id name address{ADDRESS}", 0.1, queryable=False),
    _other(
        "commerce-orders",
        "Order",
        "id orderNumber country currency closedDate:d totalAmount:n totalRefund:n totalTaxAmount:n"
        " totalDiscount:n"
        " totalGratuity:n orderLineItems[] payments[] serviceCharges[] locationRef{id name}"
        " customerRef{id name}"
        " supplementalData* createdDate:d",
        2,
    ),
    _other("commerce-paymentMethods", "PaymentMethod", "id name status", 0.1),
    _other(
        "commerce-payments",
        "Payment",
        "id amount:n currency paymentMethodRef{id name} status paymentProvider dueDate:d supplementalData*"
        " createdDate:d",
        2,
    ),
    _other("commerce-productCategories", "ProductCategory", "id name ancestorRefs[] hasChildren:b", 0.2),
    _other(
        "commerce-products",
        "Product",
        "id name description categorization isGiftCard:b variants[] supplementalData* productCategoryRefs[]"
        " createdDate:d status",
    ),
    _other("commerce-taxComponents", "TaxComponent", "id name rate:n isCompound:b", 0.1),
    _other(
        "commerce-transactions",
        "Transaction",
        "id totalAmount:n currency type subType transactionSourceRef{id type} supplementalData* createdDate:d"
        " sourceCreatedDate:d",
        2,
    ),
]
_SINGLES = [
    ("company", "info", "Accounting", False),
    ("balanceSheet", "financials/balanceSheet", "Accounting", False),
    ("profitAndLoss", "financials/profitAndLoss", "Accounting", False),
    ("cashFlowStatement", "financials/cashFlowStatement", "Accounting", False),
    ("commerce-companyInfo", "commerce-info", "Commerce", True),
]
_TYPES += [
    DataType(
        key,
        path,
        source,
        by_connection,
        shape(key, "modifiedDate:d"),
        is_list=False,
        queryable=False,
        weight=0,
    )
    for key, path, source, by_connection in _SINGLES
]

DATA_TYPES: dict[str, DataType] = {kind.key: kind for kind in _TYPES}
BY_PATH: dict[str, DataType] = {kind.path: kind for kind in _TYPES}


def supported_by(source_type: str) -> list[DataType]:
    """Return the data types that platforms of a source type can hold."""
    return [kind for kind in _TYPES if kind.source_type == source_type]
