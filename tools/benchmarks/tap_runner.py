"""Runs tap-codat unchanged, but against another host; in its own environment, as `tap_runner.py URL …`."""

import sys

from tap_codat import http, main  # type: ignore[import-not-found]  # installed where this runs

http.BASE_URL = sys.argv.pop(1)
main()
