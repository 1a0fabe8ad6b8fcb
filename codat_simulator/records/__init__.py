"""Holds the records of a data type, and selects and orders them as a request asks."""
