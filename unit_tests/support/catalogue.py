"""What Codat documents of each stream: path, key and cursor; the connector's own table must agree.

OTHER_KEYS names where a key has to be another one, DATED_BY_CODAT_SYNC where the connector adds a cursor.
Written down from Codat's documentation, not from the manifest.
"""

CATALOGUE = {
    "companies": ("/companies", "id", None),
    "connections": ("/companies/{companyId}/connections", "id", None),
    "data_status": ("/companies/{companyId}/dataStatus", "companyId dataType", None),
    "sync_history": ("/companies/{companyId}/data/history", "id", "requested"),
    "read_validation_results": (
        "/companies/{companyId}/sync/{datasetId}/validation",
        "companyId datasetId",
        "requested",
    ),
    "push_history": ("/companies/{companyId}/push", "pushOperationKey", "requestedOnUtc"),
    "company_sync_settings": ("/companies/{companyId}/syncSettings", "companyId", None),
    "integrations": ("/integrations", "key", None),
    "accounts": ("/companies/{companyId}/data/accounts", "companyId id", "modifiedDate"),
    "account_transactions": (
        "/companies/{companyId}/connections/{connectionId}/data/accountTransactions",
        "companyId connectionId id",
        "modifiedDate",
    ),
    "bank_accounts": (
        "/companies/{companyId}/connections/{connectionId}/data/bankAccounts",
        "companyId connectionId id",
        "modifiedDate",
    ),
    "bank_account_transactions": (
        "/companies/{companyId}/connections/{connectionId}/data/bankAccounts/{accountId}/bankTransactions",
        "companyId connectionId accountId rowKey",
        "modifiedDate",
    ),
    "bill_credit_notes": ("/companies/{companyId}/data/billCreditNotes", "companyId id", "modifiedDate"),
    "bill_payments": ("/companies/{companyId}/data/billPayments", "companyId id", "modifiedDate"),
    "bills": ("/companies/{companyId}/data/bills", "companyId id", "modifiedDate"),
    "credit_notes": ("/companies/{companyId}/data/creditNotes", "companyId id", "modifiedDate"),
    "customers": ("/companies/{companyId}/data/customers", "companyId id", "modifiedDate"),
    "direct_costs": (
        "/companies/{companyId}/connections/{connectionId}/data/directCosts",
        "companyId connectionId id",
        "modifiedDate",
    ),
    "direct_incomes": (
        "/companies/{companyId}/connections/{connectionId}/data/directIncomes",
        "companyId connectionId id",
        "modifiedDate",
    ),
    "invoices": ("/companies/{companyId}/data/invoices", "companyId id", "modifiedDate"),
    "item_receipts": (
        "/companies/{companyId}/connections/{connectionId}/data/itemReceipts",
        "companyId connectionId id",
        "modifiedDate",
    ),
    "items": ("/companies/{companyId}/data/items", "companyId id", "modifiedDate"),
    "journal_entries": ("/companies/{companyId}/data/journalEntries", "companyId id", "modifiedDate"),
    "journals": ("/companies/{companyId}/data/journals", "companyId id", "modifiedDate"),
    "payment_methods": ("/companies/{companyId}/data/paymentMethods", "companyId id", "modifiedDate"),
    "payments": ("/companies/{companyId}/data/payments", "companyId id", "modifiedDate"),
    "purchase_orders": ("/companies/{companyId}/data/purchaseOrders", "companyId id", "modifiedDate"),
    "sales_orders": ("/companies/{companyId}/data/salesOrders", "companyId id", "modifiedDate"),
    "suppliers": ("/companies/{companyId}/data/suppliers", "companyId id", "modifiedDate"),
    "tax_rates": ("/companies/{companyId}/data/taxRates", "companyId id", "modifiedDate"),
    "tracking_categories": ("/companies/{companyId}/data/trackingCategories", "companyId id", "modifiedDate"),
    "transfers": (
        "/companies/{companyId}/connections/{connectionId}/data/transfers",
        "companyId connectionId id",
        "modifiedDate",
    ),
    "company_info": ("/companies/{companyId}/data/info", "companyId", None),
    "balance_sheets": (
        "/companies/{companyId}/data/financials/balanceSheet",
        "companyId periodLength date",
        None,
    ),
    "profit_and_loss": (
        "/companies/{companyId}/data/financials/profitAndLoss",
        "companyId periodLength fromDate toDate",
        None,
    ),
    "cash_flow_statements": (
        "/companies/{companyId}/data/financials/cashFlowStatement",
        "companyId periodLength fromDate toDate",
        None,
    ),
    "aged_debtors": ("/companies/{companyId}/reports/agedDebtor", "companyId reportDate rowKey", None),
    "aged_creditors": ("/companies/{companyId}/reports/agedCreditor", "companyId reportDate rowKey", None),
    "bill_attachments": (
        "/companies/{companyId}/connections/{connectionId}/data/bills/{billId}/attachments",
        "companyId connectionId billId id",
        None,
    ),
    "invoice_attachments": (
        "/companies/{companyId}/connections/{connectionId}/data/invoices/{invoiceId}/attachments",
        "companyId connectionId invoiceId id",
        None,
    ),
    "customer_attachments": (
        "/companies/{companyId}/connections/{connectionId}/data/customers/{customerId}/attachments",
        "companyId connectionId customerId id",
        None,
    ),
    "supplier_attachments": (
        "/companies/{companyId}/connections/{connectionId}/data/suppliers/{supplierId}/attachments",
        "companyId connectionId supplierId id",
        None,
    ),
    "direct_cost_attachments": (
        "/companies/{companyId}/connections/{connectionId}/data/directCosts/{directCostId}/attachments",
        "companyId connectionId directCostId id",
        None,
    ),
    "direct_income_attachments": (
        "/companies/{companyId}/connections/{connectionId}/data/directIncomes/{directIncomeId}/attachments",
        "companyId connectionId directIncomeId id",
        None,
    ),
    "purchase_order_attachments": (
        "/companies/{companyId}/connections/{connectionId}/data/purchaseOrders/{purchaseOrderId}/attachments",
        "companyId connectionId purchaseOrderId id",
        None,
    ),
    "banking_accounts": (
        "/companies/{companyId}/connections/{connectionId}/data/banking-accounts",
        "companyId connectionId id",
        "modifiedDate",
    ),
    "banking_transactions": (
        "/companies/{companyId}/connections/{connectionId}/data/banking-transactions",
        "companyId connectionId id",
        "modifiedDate",
    ),
    "banking_account_balances": (
        "/companies/{companyId}/connections/{connectionId}/data/banking-accountBalances",
        "companyId connectionId accountId date rowKey",
        "modifiedDate",
    ),
    "banking_transaction_categories": (
        "/companies/{companyId}/connections/{connectionId}/data/banking-transactionCategories",
        "companyId connectionId id",
        "modifiedDate",
    ),
    "commerce_customers": (
        "/companies/{companyId}/connections/{connectionId}/data/commerce-customers",
        "companyId connectionId id",
        "modifiedDate",
    ),
    "commerce_disputes": (
        "/companies/{companyId}/connections/{connectionId}/data/commerce-disputes",
        "companyId connectionId id",
        "modifiedDate",
    ),
    "commerce_locations": (
        "/companies/{companyId}/connections/{connectionId}/data/commerce-locations",
        "companyId connectionId id",
        None,
    ),
    "commerce_orders": (
        "/companies/{companyId}/connections/{connectionId}/data/commerce-orders",
        "companyId connectionId id",
        "modifiedDate",
    ),
    "commerce_payment_methods": (
        "/companies/{companyId}/connections/{connectionId}/data/commerce-paymentMethods",
        "companyId connectionId id",
        "modifiedDate",
    ),
    "commerce_payments": (
        "/companies/{companyId}/connections/{connectionId}/data/commerce-payments",
        "companyId connectionId id",
        "modifiedDate",
    ),
    "commerce_product_categories": (
        "/companies/{companyId}/connections/{connectionId}/data/commerce-productCategories",
        "companyId connectionId id",
        "modifiedDate",
    ),
    "commerce_products": (
        "/companies/{companyId}/connections/{connectionId}/data/commerce-products",
        "companyId connectionId id",
        "modifiedDate",
    ),
    "commerce_tax_components": (
        "/companies/{companyId}/connections/{connectionId}/data/commerce-taxComponents",
        "companyId connectionId id",
        "modifiedDate",
    ),
    "commerce_transactions": (
        "/companies/{companyId}/connections/{connectionId}/data/commerce-transactions",
        "companyId connectionId id",
        "modifiedDate",
    ),
    "commerce_company_info": (
        "/companies/{companyId}/connections/{connectionId}/data/commerce-info",
        "companyId connectionId",
        None,
    ),
    "files": ("/companies/{companyId}/files", "companyId fileName uploaded", None),
    "lending_reports": ("/companies/{companyId}/reports", "companyId id", "updatedDate"),
    "categorized_bank_statement_accounts": (
        "/companies/{companyId}/reports/categorizedBankStatement/{reportId}/accounts",
        "companyId id",
        None,
    ),
    "categorized_bank_statement_transactions": (
        "/companies/{companyId}/reports/categorizedBankStatement/{reportId}/transactions",
        "companyId id",
        "modifiedDate",
    ),
    "credit_model_financial_summary": (
        "/companies/{companyId}/reports/creditModel/{reportId}/financialSummary",
        "companyId reportId",
        None,
    ),
    "categorized_profit_and_loss": (
        "/companies/{companyId}/reports/enhancedProfitAndLoss/accounts",
        "companyId date accountId",
        None,
    ),
    "categorized_balance_sheet": (
        "/companies/{companyId}/reports/enhancedBalanceSheet/accounts",
        "companyId date accountId",
        None,
    ),
    "reconciled_invoices": (
        "/companies/{companyId}/reports/enhancedInvoices",
        "companyId id",
        "modifiedDate",
    ),
    "loan_summaries": (
        "/companies/{companyId}/reports/liabilities/loans",
        "companyId sourceType recordRefId",
        None,
    ),
    "loan_transactions": (
        "/companies/{companyId}/reports/liabilities/loans/transactions",
        "companyId sourceType rowKey",
        None,
    ),
    "commerce_metrics_revenue": (
        "/data/companies/{companyId}/connections/{connectionId}/assess/commerceMetrics/revenue",
        "companyId connectionId reportDate periodUnit periodLength",
        None,
    ),
    "commerce_metrics_orders": (
        "/data/companies/{companyId}/connections/{connectionId}/assess/commerceMetrics/orders",
        "companyId connectionId reportDate periodUnit periodLength",
        None,
    ),
    "commerce_metrics_refunds": (
        "/data/companies/{companyId}/connections/{connectionId}/assess/commerceMetrics/refunds",
        "companyId connectionId reportDate periodUnit periodLength",
        None,
    ),
    "commerce_metrics_customer_retention": (
        "/data/companies/{companyId}/connections/{connectionId}/assess/commerceMetrics/customerRetention",
        "companyId connectionId reportDate periodUnit periodLength",
        None,
    ),
    "commerce_metrics_lifetime_value": (
        "/data/companies/{companyId}/connections/{connectionId}/assess/commerceMetrics/lifetimeValue",
        "companyId connectionId reportDate periodUnit periodLength",
        None,
    ),
    "data_integrity_status": (
        "/data/companies/{companyId}/assess/dataTypes/{dataType}/dataIntegrity/status",
        "companyId dataType type",
        None,
    ),
    "data_integrity_summaries": (
        "/data/companies/{companyId}/assess/dataTypes/{dataType}/dataIntegrity/summaries",
        "companyId dataType type",
        None,
    ),
    "data_integrity_details": (
        "/data/companies/{companyId}/assess/dataTypes/{dataType}/dataIntegrity/details",
        "companyId dataType connectionId id",
        None,
    ),
    "spend_analysis_suppliers": (
        "/companies/{companyId}/reports/spendAnalysis/{reportId}/suppliers",
        "companyId reportId rowKey",
        None,
    ),
    "spend_analysis_payment_methods": (
        "/companies/{companyId}/reports/spendAnalysis/{reportId}/paymentMethods",
        "companyId reportId rowKey",
        None,
    ),
    "bill_pay_bills": (
        "/companies/{companyId}/connections/{connectionId}/payables/bills",
        "companyId connectionId id",
        None,
    ),
    "bill_pay_suppliers": (
        "/companies/{companyId}/connections/{connectionId}/payables/suppliers",
        "companyId connectionId id",
        None,
    ),
    "bank_feed_source_accounts": (
        "/companies/{companyId}/connections/{connectionId}/connectionInfo/bankFeedAccounts",
        "companyId connectionId id",
        None,
    ),
    "expense_syncs": ("/companies/{companyId}/sync/expenses/syncs/list/status", "syncId", None),
    "expense_sync_transactions": (
        "/companies/{companyId}/sync/expenses/syncs/{syncId}/transactions",
        "companyId syncId transactionId",
        None,
    ),
    "balance_sheet_lines": (
        "/companies/{companyId}/data/financials/balanceSheet",
        "companyId periodLength date lineKey",
        None,
    ),
    "profit_and_loss_lines": (
        "/companies/{companyId}/data/financials/profitAndLoss",
        "companyId periodLength fromDate toDate lineKey",
        None,
    ),
    "cash_flow_lines": (
        "/companies/{companyId}/data/financials/cashFlowStatement",
        "companyId periodLength fromDate toDate lineKey",
        None,
    ),
}

ROW_KEY = "a part of the key can be missing in a row, and a warehouse makes null of a date that it can't read"
OTHER_KEYS = {
    "balance_sheets": ("companyId periodLength rowKey", ROW_KEY),
    "balance_sheet_lines": ("companyId periodLength rowKey", ROW_KEY),
    "profit_and_loss": ("companyId periodLength rowKey", ROW_KEY),
    "profit_and_loss_lines": ("companyId periodLength rowKey", ROW_KEY),
    "cash_flow_statements": ("companyId periodLength rowKey", ROW_KEY),
    "cash_flow_lines": ("companyId periodLength rowKey", ROW_KEY),
    "banking_account_balances": ("companyId connectionId rowKey", ROW_KEY),
    "files": ("companyId rowKey", ROW_KEY),
    "categorized_profit_and_loss": ("companyId rowKey", ROW_KEY),
    "categorized_balance_sheet": ("companyId rowKey", ROW_KEY),
    "categorized_bank_statement_accounts": ("companyId rowKey", "no row of the published example has an id"),
    "categorized_bank_statement_transactions": (
        "companyId rowKey",
        "an id is unique within a bank's connection, of which a report may have several",
    ),
    "loan_summaries": (
        "companyId sourceType rowKey",
        "recordRef.id is unique within the connection that recordRef names",
    ),
    "data_integrity_details": ("companyId dataType rowKey", "a row may name no connection, or have no id"),
}
"""The keys that aren't the documented ones, each with its reason."""


SYNCED_AT = "syncedAt"
DATED_BY_CODAT_SYNC = {
    "balance_sheets",
    "balance_sheet_lines",
    "profit_and_loss",
    "profit_and_loss_lines",
    "cash_flow_statements",
    "cash_flow_lines",
    "company_info",
    "commerce_company_info",
    "commerce_locations",
}
"""Codat has no date for their rows, but names their data type in dataStatus: that is their cursor."""


def cursor_of(stream: str) -> str | None:
    """The cursor field of a stream, None where it is read whole."""
    return SYNCED_AT if stream in DATED_BY_CODAT_SYNC else CATALOGUE[stream][2]


def key_of(stream: str) -> list[str]:
    """The columns of a stream's key in a warehouse."""
    key, _ = OTHER_KEYS.get(stream, (CATALOGUE[stream][1], ""))
    return key.split()
