"""The console script: arguments and files in, protocol lines out, and an exit code."""

from source_codat.run.process import run

__all__ = ["run"]
