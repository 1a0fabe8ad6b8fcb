# Airbyte's Python base image by digest; another base with Python 3.10 or newer and a user `airbyte` does as well:
#   docker build --build-arg BASE_IMAGE=<image> -t airbyte/source-codat:dev .
ARG BASE_IMAGE=docker.io/airbyte/python-connector-base:4.1.0@sha256:1d1aa21d34e851df4e8a87b391c27724c06e2597608e7161f4d167be853bd7b6
FROM ${BASE_IMAGE}

USER root
WORKDIR /airbyte/integration_code

# Dependencies first: this layer stays until setup.py changes. The empty package is replaced below.
COPY setup.py pyproject.toml ./
RUN mkdir -p source_codat && touch source_codat/__init__.py README.md LICENSE \
    && pip install --no-cache-dir --disable-pip-version-check --root-user-action=ignore . \
    && pip uninstall --yes --quiet airbyte-source-codat \
    && rm -rf source_codat README.md build *.egg-info

COPY README.md LICENSE main.py ./
COPY source_codat ./source_codat
RUN pip install --no-cache-dir --disable-pip-version-check --root-user-action=ignore --no-deps . \
    && rm -rf build *.egg-info source_codat setup.py pyproject.toml README.md \
    && chown -R airbyte:airbyte /airbyte

ENV AIRBYTE_ENTRYPOINT="python /airbyte/integration_code/main.py" \
    PYTHONDONTWRITEBYTECODE=1
ENTRYPOINT ["python", "/airbyte/integration_code/main.py"]
USER airbyte

LABEL io.airbyte.version=0.1.0 \
      io.airbyte.name=airbyte/source-codat
