"""What `make docs`, `make structure`, `make release-check` and `make setup` run."""
