"""Where an answer of each stream can say how many rows there are, by Codat's documentation.

Written down from that, not from the manifest: every stream stands under one of the headings. `make docs`
writes the table in docs/behaviour.md, "Counters", from it.
"""

TOP = "`totalResults`, `pageSize` at the top, with `_links`"
REPORT_INFO = "`reportInfo.totalResults`, without `_links`"
CONTINUED = "none; `pagination.continuationToken` where more follows"
LIST = "none documented, one answer with a list; held against it where one comes"
OBJECT = "none: one object, which is one record (or one for each value)"
ARRAY = "none: a bare array"

COUNTERS = {
    TOP: """
        companies connections sync_history push_history integrations accounts account_transactions
        bank_accounts bank_account_transactions bill_credit_notes bill_payments bills credit_notes
        customers direct_costs direct_incomes invoices item_receipts items journal_entries journals
        payment_methods payments purchase_orders sales_orders suppliers tax_rates tracking_categories
        transfers banking_accounts banking_transactions banking_account_balances
        banking_transaction_categories commerce_customers commerce_disputes commerce_locations
        commerce_orders commerce_payment_methods commerce_payments commerce_product_categories
        commerce_products commerce_tax_components commerce_transactions lending_reports
        categorized_bank_statement_accounts categorized_bank_statement_transactions
        data_integrity_details expense_sync_transactions
    """.split(),  # noqa: SIM905 - a list of so many names reads better so
    REPORT_INFO: ["reconciled_invoices"],
    CONTINUED: ["bill_pay_bills", "bill_pay_suppliers"],
    LIST: """
        balance_sheets balance_sheet_lines profit_and_loss profit_and_loss_lines cash_flow_statements
        cash_flow_lines aged_debtors aged_creditors bill_attachments invoice_attachments
        customer_attachments supplier_attachments direct_cost_attachments direct_income_attachments
        purchase_order_attachments categorized_profit_and_loss categorized_balance_sheet loan_summaries
        loan_transactions data_integrity_status data_integrity_summaries spend_analysis_suppliers
        spend_analysis_payment_methods
    """.split(),  # noqa: SIM905 - a list of so many names reads better so
    OBJECT: """
        data_status read_validation_results company_sync_settings company_info commerce_company_info
        credit_model_financial_summary commerce_metrics_revenue commerce_metrics_orders
        commerce_metrics_refunds commerce_metrics_customer_retention commerce_metrics_lifetime_value
    """.split(),  # noqa: SIM905 - a list of so many names reads better so
    ARRAY: ["files", "bank_feed_source_accounts", "expense_syncs"],
}
