"""Entry point of the container image."""

from source_codat.run import run

if __name__ == "__main__":
    run()
