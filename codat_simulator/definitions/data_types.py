"""Every data type that Codat keeps one dataset of, and what queries can name in its records."""

from __future__ import annotations

from dataclasses import dataclass

from codat_simulator.definitions.shape import Shape, shape

_STAMPS = " modifiedDate:d sourceModifiedDate:d"
_ADDRESS = "{type line1 line2 city region country postalCode}"


@dataclass(frozen=True)
class DataType:
    """One Codat data type: its key in dataStatus, its path segment and where it hangs."""

    key: str
    path: str
    source_type: str
    by_connection: bool
    shape: Shape
    deletes_softly: bool = False
    """Whether a deleted record stays, flagged `metadata.isDeleted`."""
    is_list: bool = True
    queryable: bool = True
    weight: float = 1.0
    """How many records beside the number asked for."""


_KEPT = " metadata{isDeleted:b}" + _STAMPS
_EXTRA = " supplementalData*" + _KEPT
_MONEY = " currency currencyRate:n"
_PRICED = "{description unitPrice:n accountRef{id name} taxRateRef{id name effectiveTaxRate:n}}"
_SIDE = "{accountRef{id dataType name} currency amount:n status}"


def _ledger(
    key: str, name: str, text: str, weight: float = 1.0, path: str = "", connection: bool = False
) -> DataType:
    return DataType(key, path or key, "Accounting", connection, shape(name, text), True, weight=weight)


_ACCOUNTING = [
    _ledger(
        "chartOfAccounts",
        "Account",
        "id nominalCode name description fullyQualifiedCategory fullyQualifiedName currency"
        " currentBalance:n type status"
        " isBankAccount:b validDatatypeLinks[]" + _EXTRA,
        0.7,
        "accounts",
    ),
    _ledger(
        "accountTransactions",
        "AccountTransaction",
        "id transactionId note bankAccountRef{id name} date:d status"
        + _MONEY
        + " lines[] totalAmount:n"
        + _KEPT,
        2,
        connection=True,
    ),
    _ledger(
        "bankAccounts",
        "BankAccount",
        "id accountName accountType nominalCode sortCode accountNumber iBan currency balance:n institution"
        " availableBalance:n overdraftLimit:n status" + _EXTRA,
        0.08,
        connection=True,
    ),
    DataType(
        "bankTransactions",
        "bankTransactions",
        "Accounting",
        True,
        shape(
            "BankTransaction",
            "id accountId clearedOnDate:d description counterparty reconciled:b amount:n balance:n"
            " transactionType" + _STAMPS,
        ),
        weight=2,
    ),
    _ledger(
        "billCreditNotes",
        "BillCreditNote",
        "id billCreditNoteNumber supplierRef{id supplierName} withholdingTax[] totalAmount:n"
        " totalDiscount:n subTotal:n"
        " totalTaxAmount:n discountPercentage:n remainingCredit:n status issueDate:d allocatedOnDate:d"
        + _MONEY
        + " lineItems[] paymentAllocations[] createdFromRefs[] note"
        + _EXTRA,
        0.3,
    ),
    _ledger(
        "billPayments",
        "BillPayment",
        "id supplierRef{id supplierName} accountRef{id name} totalAmount:n date:d note"
        " paymentMethodRef{id name}"
        " lines[] reference" + _MONEY + _EXTRA,
    ),
    _ledger(
        "bills",
        "Bill",
        "id reference supplierRef{id supplierName} purchaseOrderRefs[] issueDate:d dueDate:d"
        + _MONEY
        + " lineItems[]"
        " withholdingTax[] status subTotal:n taxAmount:n totalAmount:n amountDue:n note paymentAllocations[]"
        + _EXTRA,
    ),
    _ledger(
        "creditNotes",
        "CreditNote",
        "id creditNoteNumber customerRef{id companyName} withholdingTax[] totalAmount:n"
        " totalDiscount:n subTotal:n"
        " additionalTaxAmount:n additionalTaxPercentage:n totalTaxAmount:n discountPercentage:n"
        " remainingCredit:n status"
        " issueDate:d allocatedOnDate:d" + _MONEY + " lineItems[] paymentAllocations[] note" + _EXTRA,
        0.3,
    ),
    _ledger(
        "customers",
        "Customer",
        "id customerName contactName emailAddress defaultCurrency phone addresses[] contacts[]"
        " registrationNumber"
        " taxNumber status" + _EXTRA,
    ),
    _ledger(
        "directCosts",
        "DirectCost",
        "id reference note contactRef{id dataType} issueDate:d" + _MONEY + " lineItems[] paymentAllocations[]"
        " subTotal:n taxAmount:n totalAmount:n" + _EXTRA,
        connection=True,
    ),
    _ledger(
        "directIncomes",
        "DirectIncome",
        "id reference note contactRef{id dataType} issueDate:d" + _MONEY + " lineItems[] paymentAllocations[]"
        " subTotal:n taxAmount:n totalAmount:n" + _EXTRA,
        0.5,
        connection=True,
    ),
    _ledger(
        "invoices",
        "Invoice",
        "id invoiceNumber customerRef{id companyName} salesOrderRefs[] issueDate:d dueDate:d paidOnDate:d"
        + _MONEY
        + " lineItems[] paymentAllocations[] withholdingTax[] totalDiscount:n subTotal:n"
        " additionalTaxAmount:n"
        " additionalTaxPercentage:n totalTaxAmount:n totalAmount:n amountDue:n"
        " discountPercentage:n status note" + _EXTRA,
    ),
    _ledger(
        "itemReceipts",
        "ItemReceipt",
        "id supplierRef{id supplierName} purchaseOrderRefs[] receivedDate:d reference note status subTotal:n"
        " totalAmount:n lineItems[]" + _MONEY + _EXTRA,
        0.3,
        connection=True,
    ),
    _ledger(
        "items",
        "Item",
        f"id name code itemStatus type isBillItem:b billItem{_PRICED} isInvoiceItem:b invoiceItem{_PRICED}"
        + _EXTRA,
        0.7,
    ),
    _ledger(
        "journalEntries",
        "JournalEntry",
        "id description postedOn:d createdOn:d updatedOn:d journalRef{id name} journalLines[]"
        " recordRef{id dataType}" + _EXTRA,
        2,
    ),
    _ledger(
        "journals",
        "Journal",
        "id journalCode name type parentId hasChildren:b createdOn:d status" + _KEPT,
        0.2,
    ),
    _ledger("paymentMethods", "PaymentMethod", "id name type status" + _KEPT, 0.1),
    _ledger(
        "payments",
        "Payment",
        "id customerRef{id companyName} accountRef{id name} paymentMethodRef{id name}"
        " totalAmount:n date:d note lines[]"
        " reference" + _MONEY + _EXTRA,
    ),
    _ledger(
        "purchaseOrders",
        "PurchaseOrder",
        "id purchaseOrderNumber issueDate:d paymentDueDate:d expectedDeliveryDate:d deliveryDate:d note"
        f" shipTo{{contact{{name email phone}} address{_ADDRESS}}} supplierRef{{id supplierName}}"
        f" status lineItems[]"
        " totalDiscount:n subTotal:n totalTaxAmount:n totalAmount:n createdBy{email firstName lastName}"
        + _MONEY
        + _KEPT,
        0.5,
    ),
    _ledger(
        "salesOrders",
        "SalesOrder",
        "id salesOrderNumber customerPurchaseOrderNumber issueDate:d expectedDeliveryDate:d note"
        f" shipTo{{contact{{name email phone}} address{_ADDRESS}}} customerRef{{id companyName}}"
        f" status invoicingStatus"
        " lineItems[] totalDiscount:n subTotal:n totalTaxAmount:n totalAmount:n" + _MONEY + _KEPT,
        0.5,
    ),
    _ledger(
        "suppliers",
        "Supplier",
        "id supplierName contactName emailAddress phone addresses[] registrationNumber taxNumber"
        " status defaultCurrency" + _EXTRA,
    ),
    _ledger(
        "taxRates",
        "TaxRate",
        "id name code status effectiveTaxRate:n totalTaxRate:n components[] validDatatypeLinks[]" + _EXTRA,
        0.2,
    ),
    _ledger("trackingCategories", "TrackingCategory", "id name status parentId hasChildren:b" + _KEPT, 0.2),
    _ledger(
        "transfers",
        "Transfer",
        f"id description contactRef{{id dataType}} date:d from{_SIDE} to{_SIDE} status trackingCategoryRefs[]"
        " depositedRecordRefs[]" + _EXTRA,
        0.3,
        connection=True,
    ),
]


def _other(key: str, name: str, text: str, weight: float = 1.0, queryable: bool = True) -> DataType:
    source_type = "Commerce" if key.startswith("commerce") else "Banking"
    return DataType(key, key, source_type, True, shape(name, text + _STAMPS), False, True, queryable, weight)


_TYPES = [
    *_ACCOUNTING,
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
    _other("commerce-locations", "Location", f"id name address{_ADDRESS}", 0.1, queryable=False),
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


def supported_by(source_type: str) -> list[DataType]:
    """Return the data types that platforms of a source type can hold."""
    return [kind for kind in _TYPES if kind.source_type == source_type]
