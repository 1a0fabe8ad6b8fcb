"""The words that records are made of: names from many places, awkward characters included."""

from __future__ import annotations

COMPANY_NAMES = (
    "Müller & Söhne GmbH",
    "株式会社さくら",
    'O\'Brien "Tools" Ltd',
    "Café Ñandú, S.A. de C.V.",
    "مؤسسة النور",
    "Łódź Transport sp. z o.o.",
    "Bakery 🥐 & Co",
    "Ångström\\Labs AB",
    "Trattoria dell’Angelo",
    "<b>Bold</b> Designs",
    "Ивановъ и сыновья",
    "Acme/North: Division=4 @HQ",
    "e\u0301clair (combining)",
    "Tab\tand trailing space ",
    "Smith, Jones; Partners | Co",
    "Line\u2028separator Media",
    "100% Cotton {India} Pvt. Ltd.",
    "Plain Supplies",
    "North Street Hardware",
    "Green Valley Farms",
)
PEOPLE = (
    "Zoë Brontë",
    "José Ángel Núñez",
    "李小龍",
    "Siobhán O’Neill",
    "Søren Kierkegård",
    "Anaïs Dufour",
    "Олег Петренко",
    "Mary Ann Smith",
    "नरेन्द्र कुमार",
    "Jean-Luc d'Arc",
)
GOODS = (
    "Consulting, 1 hour",
    'Monitor 27" (curved)',
    "Wax paper 30 m²",
    "Crème fraîche ½ kg",
    "Freight → Port of Łeba",
    "Licence – 12 months",
    "Bolt M8×40",
    "お茶 100g",
    "Repair\nsecond visit",
    "Gift card €25",
)
CITIES = (
    ("London", "Greater London", "GB", "EC1A 1BB"),
    ("Zürich", "ZH", "CH", "8001"),
    ("São Paulo", "SP", "BR", "01310-100"),
    ("東京", "東京都", "JP", "100-0001"),
    ("New York", "NY", "US", "10001"),
    ("Kraków", "Małopolskie", "PL", "31-001"),
)
STREETS = ("1 High Street", "Straße des 17. Juni 135", "Av. Paulista, 1578", "Unit 4/5", "Łokietka 3 m. 7")
CURRENCIES = ("GBP", "USD", "EUR", "JPY", "KWD")
ACCOUNT_NAMES = (
    "Sales",
    "Cost of goods sold",
    "Travel & entertainment",
    "Bank: main (GBP)",
    "VAT/GST payable",
    "Rückstellungen",
    "Accounts receivable",
    "Accounts payable",
    "Office expenses",
    "Retained earnings",
    "Share capital",
    "Directors' loan",
)
NOTES = (
    "Thank you for your business!",
    "Lieferung am 3. März\nbitte klingeln",
    "See https://example.com/?a=1&b=2#frag",
    "",
    'quote " backslash \\ slash /',
    "Ünïcödé ☂ 𝔘𝔫𝔦𝔠𝔬𝔡𝔢",
)
CATEGORIES = ("Income", "Rent", "Wages", "Utilities", "Travel", "Taxes", "Groceries", "Café & bars", "Fees")
