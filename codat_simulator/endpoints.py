"""Every endpoint: importing this fills the table of routes."""

from __future__ import annotations

from codat_simulator import (
    addon_routes,
    dataset_routes,
    lending_routes,
    platform_routes,
    report_routes,
    statements,
)
from codat_simulator.control import control
from codat_simulator.routes import ROUTES, answer

__all__ = [
    "ROUTES",
    "addon_routes",
    "answer",
    "control",
    "dataset_routes",
    "lending_routes",
    "platform_routes",
    "report_routes",
    "statements",
]
