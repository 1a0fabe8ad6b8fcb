"""The guide's pictures, as SVG: what reads cost, from the measured figures, and how the tables relate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

from tools.scripts.read_costs import Cost

WIDTH = 560  # the panel beside Airbyte's form has 570 pixels
_NAMESPACE = "http://www.w3.org/2000/svg"  # ignore-https-check: a name, not an address
_INK, _FAINT, _BAR, _BOX = "#17324d", "#5b6b7a", "#2a9d8f", "#e8f3f1"
_FONT = 'font-family="Helvetica, Arial, sans-serif"'


def _text(x: float, y: float, words: str, *, size: int = 13, colour: str = _INK, extra: str = "") -> str:
    return f'<text x="{x:g}" y="{y:g}" font-size="{size}" fill="{colour}" {extra}>{escape(words)}</text>'


def _picture(height: int, label: str, parts: Sequence[str]) -> str:
    lines = [
        f'<svg xmlns="{_NAMESPACE}" viewBox="0 0 {WIDTH} {height}"',
        f'  width="{WIDTH}" height="{height}" role="img" aria-label="{escape(label)}" {_FONT}>',
        f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
        *parts,
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def requests_plot(cost: Cost) -> str:
    """One bar for each kind of read, with its requests for a company."""
    bars = [
        ("First read", cost.first),
        ("After a Codat sync of everything", cost.changed),
        ("No Codat sync since", cost.unchanged),
    ]
    left, most, step = 230, 280, 34
    scale = most / max(number for _, number in bars)
    parts = [_text(12, 22, "Requests for a company: suggested streams, 4,000 invoices", size=14)]
    for row, (words, number) in enumerate(bars):
        y = 40 + row * step
        parts.append(_text(left - 10, y + 16, words, extra='text-anchor="end"'))
        parts.append(
            f'<rect x="{left}" y="{y}" width="{number * scale:.0f}" height="22" rx="3" fill="{_BAR}"/>'
        )
        parts.append(_text(left + number * scale + 8, y + 16, f"{number:.0f}"))
    return _picture(40 + len(bars) * step + 6, "Requests of three kinds of reads", parts)


@dataclass(frozen=True)
class Relation:
    """Rows of `tables` lead to a row of `target` by a column; each join takes `companyId` as well."""

    target: str
    column: str
    tables: tuple[str, ...]


RELATIONS = (
    Relation("connections", "connectionId", ("banking_accounts", "commerce_orders")),
    Relation("customers", "customerRef.id", ("invoices", "credit_notes", "payments")),
    Relation("suppliers", "supplierRef.id", ("bills", "bill_payments")),
    Relation("invoices", "lines[].links[].id", ("payments",)),
    Relation("bills", "lines[].links[].id", ("bill_payments",)),
    Relation("accounts", "accountId", ("profit_and_loss_lines",)),
    Relation("accounts", "lineItems[].accountRef.id", ("invoices", "bills")),
    Relation("bank_accounts", "accountId", ("bank_account_transactions",)),
    Relation("banking_accounts", "accountId", ("banking_transactions",)),
)


def _box(x: float, y: float, width: float, words: str) -> list[str]:
    middle = x + width / 2
    return [
        f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="30" rx="4" fill="{_BOX}" stroke="{_BAR}"/>',
        _text(middle, y + 20, words, extra='text-anchor="middle"'),
    ]


def _arrow(start: float, end: float, y: float, words: str) -> list[str]:
    """A line to the left with its head at `end`, and words above it."""
    return [
        f'<path d="M{start:g} {y:g}H{end:g}m6 -4l-6 4l6 4" fill="none" stroke="{_FAINT}"/>',
        _text((start + end) / 2, y - 5, words, size=11, colour=_FAINT, extra='text-anchor="middle"'),
    ]


def tables_picture() -> str:
    """Which column leads from which tables to which: one row for each relation."""
    step, targets, others = 44, 126, 244
    head = "Every table of a company has companyId: it leads to companies.id, and belongs into every join."
    parts = [_text(12, 22, head, size=12)]
    for row, one in enumerate(RELATIONS):
        y = 40 + row * step
        left, right = 12, WIDTH - 12 - others
        parts += _box(left, y, targets, one.target)
        parts += _arrow(right, left + targets, y + 15, one.column)
        parts += _box(right, y, others, ", ".join(one.tables))
    return _picture(40 + len(RELATIONS) * step, "Columns that lead from table to table", parts)
