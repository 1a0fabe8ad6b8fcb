"""`python -m source_codat.run`: the same as the console script."""

from source_codat.run import run

if __name__ == "__main__":
    run()
