"""Tries on the real Codat what the connector assumes of it: `make check-live`. It only ever reads."""
