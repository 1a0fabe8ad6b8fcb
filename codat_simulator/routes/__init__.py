"""What each endpoint answers, by theme; importing the package fills the table of routes."""

from codat_simulator.http.routing import ROUTES
from codat_simulator.routes import addons, companies, datasets, elsewhere, lending, reports, statements

__all__ = ["ROUTES", "addons", "companies", "datasets", "elsewhere", "lending", "reports", "statements"]
