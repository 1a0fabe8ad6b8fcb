"""Packaging of source-codat. The tools' settings are in pyproject.toml."""

from pathlib import Path

from setuptools import find_packages, setup

# Tested with this minor version: the read path builds on parts of the CDK that move between minors.
AIRBYTE_CDK = "airbyte-cdk>=7.39.1,<7.40"

DEV = [
    "airbyte-connector-models>=0.1.12,<0.2",  # what Airbyte's registry accepts as metadata.yaml
    "aiohttp>=3.10,<4",  # the simulator's HTTP server
    "build>=1",  # make build
    "hypothesis>=6.100",
    "import-linter>=2,<2.7",  # later ones need a rich that PyAirbyte doesn't take
    "jsonschema>=4.17.3",
    "mypy>=2.4,<3",
    "orjson>=3.10.7",  # the bare loop that the benchmarks compare with
    "pytest>=7.4.4,<8",  # the range that the CDK's own standard tests are made for
    "pytest-mock>=3.12",
    "pytest-xdist>=3.5",
    "pyyaml>=6.0.1",
    "ruff>=0.17.5,<0.18",
    "types-PyYAML",
    "types-requests",
    "types-jsonschema",
]

WAREHOUSE = [
    "airbyte>=0.71,<0.72",  # PyAirbyte: Python 3.10 to 3.12
    "duckdb>=1.4",
]

DAGSTER = [
    *WAREHOUSE,
    "dagster>=1.13,<1.14",  # the job of docs/scale.md
    "grpcio-health-checking<1.82",  # later ones need a protobuf that PyAirbyte doesn't take
]

DEMO = [
    "matplotlib>=3.9",  # make demo draws what its reads cost
]

setup(
    name="airbyte-source-codat",  # as all of Airbyte's are called on PyPI; package and command have no prefix
    version="0.1.0",
    description="Airbyte source for Codat: every record of every company you choose, kept up to date.",
    long_description=Path(__file__).with_name("README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    author="The source-codat contributors",
    license="MIT",
    license_files=["LICENSE"],
    classifiers=[
        "Development Status :: 3 - Alpha",
        "Intended Audience :: Developers",
        "Programming Language :: Python :: 3.10",
        "Programming Language :: Python :: 3.11",
        "Programming Language :: Python :: 3.12",
        "Typing :: Typed",
    ],
    python_requires=">=3.10",
    packages=find_packages(include=["source_codat", "source_codat.*"]),
    package_data={
        "source_codat": ["manifest.yaml", "spec.json", "schemas/*.json", "schemas/shared/*.json", "py.typed"]
    },
    install_requires=[AIRBYTE_CDK, "msgspec>=0.18.6", "pendulum>=3.0", "requests>=2.31", "urllib3>=2.2"],
    extras_require={"dev": DEV, "warehouse": WAREHOUSE, "demo": DEMO, "dagster": DAGSTER},
    entry_points={"console_scripts": ["source-codat=source_codat.run:run"]},
)
