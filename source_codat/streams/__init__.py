"""The rows of manifest.yaml as Python objects, built for one configuration."""
