"""The accounting data types and what queries can name in them."""

from __future__ import annotations

from codat_simulator.definitions.datatype import ADDRESS, STAMPS, DataType
from codat_simulator.definitions.shape import shape

_KEPT = " metadata{isDeleted:b}" + STAMPS
_EXTRA = " supplementalData*" + _KEPT
_MONEY = " currency currencyRate:n"
_PRICED = "{description unitPrice:n accountRef{id name} taxRateRef{id name effectiveTaxRate:n}}"
_SIDE = "{accountRef{id dataType name} currency amount:n status}"


def _ledger(
    key: str, name: str, text: str, weight: float = 1.0, path: str = "", connection: bool = False
) -> DataType:
    return DataType(key, path or key, "Accounting", connection, shape(name, text), True, weight=weight)


ACCOUNTING_TYPES = [
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
            " transactionType" + STAMPS,
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
        f" shipTo{{contact{{name email phone}} address{ADDRESS}}} supplierRef{{id supplierName}}"
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
        f" shipTo{{contact{{name email phone}} address{ADDRESS}}} customerRef{{id companyName}}"
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
