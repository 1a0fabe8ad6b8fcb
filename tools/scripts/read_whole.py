"""Why a stream is read whole, where no cursor can tell what has changed in it.

Every full-refresh stream stands under one reason; `make docs` writes the table in docs/streams.md from it.
"""

SMALL = "Codat keeps no date of change for them, dataStatus doesn't name them, and they cost next to nothing"
BY_DAY = (
    "the rows depend on the day (or month) of the read, also where nothing was synced: each is another report"
)
LIVE = "handed on from the company's software while we ask: no Codat sync tells of a change"
WORKED_OUT = (
    "worked out by Codat at times of its own, from a report or from several data types: dataStatus doesn't "
    "say from which Codat syncs"
)

READ_WHOLE = {
    SMALL: ["companies", "connections", "data_status", "company_sync_settings", "integrations", "files"],
    BY_DAY: [
        "aged_debtors",
        "aged_creditors",
        "categorized_profit_and_loss",
        "categorized_balance_sheet",
        "commerce_metrics_revenue",
        "commerce_metrics_orders",
        "commerce_metrics_refunds",
        "commerce_metrics_customer_retention",
        "commerce_metrics_lifetime_value",
    ],
    LIVE: [
        "bill_attachments",
        "invoice_attachments",
        "customer_attachments",
        "supplier_attachments",
        "direct_cost_attachments",
        "direct_income_attachments",
        "purchase_order_attachments",
        "bill_pay_bills",
        "bill_pay_suppliers",
        "bank_feed_source_accounts",
    ],
    WORKED_OUT: [
        "categorized_bank_statement_accounts",
        "credit_model_financial_summary",
        "loan_summaries",
        "loan_transactions",
        "data_integrity_status",
        "data_integrity_summaries",
        "data_integrity_details",
        "spend_analysis_suppliers",
        "spend_analysis_payment_methods",
        "expense_syncs",
        "expense_sync_transactions",
    ],
}
