"""metadata.yaml as Airbyte's registry reads it, and Airbyte's QA checks of the whole connector.

The checks need airbyte-internal-ops, whose PyAirbyte is another one than ours: `make release-check`
gives them an environment of their own. They run here without a network, on a staged tree that looks
like Airbyte's repository, and with the strictness of a certified connector.
"""

import importlib
import importlib.util
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parent.parent
DOCUMENT = yaml.safe_load((ROOT / "metadata.yaml").read_text(encoding="utf-8"))
METADATA: dict[str, Any] = DOCUMENT["data"]
GUIDE = ROOT / "docs" / "integrations" / "sources" / "codat.md"
# They forbid what this connector is built with: setup.py, and a Dockerfile of its own.
EXCUSED = {"CheckConnectorUsesPoetry", "CheckConnectorUsesPythonBaseImage"}
NEEDS_NETWORK = {"CheckDocumentationLinks"}  # asks for every link of the guide


def importable(module: str) -> bool:
    return importlib.util.find_spec(module) is not None


needs_models = pytest.mark.skipif(
    not importable("airbyte_connector_models"), reason="airbyte-connector-models isn't installed"
)
needs_qa = pytest.mark.skipif(
    not importable("airbyte_ops_mcp"), reason="airbyte-internal-ops isn't installed: see `make release-check`"
)


def model() -> Any:
    module = "airbyte_connector_models.metadata.v0.connector_metadata_definition_v0"
    return importlib.import_module(module).ConnectorMetadataDefinitionV0


@needs_models
def test_the_metadata_are_what_airbytes_registry_accepts() -> None:
    model().model_validate(DOCUMENT)


@needs_models
@pytest.mark.parametrize("change", [{"licence": "MIT"}, {"releaseStage": "soon"}, {"definitionId": "1"}])
def test_airbytes_model_would_notice_a_mistake(change: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=next(iter(change))):
        model().model_validate({**DOCUMENT, "data": {**METADATA, **change}})


def test_the_tags_say_the_language_and_the_cdk_once() -> None:
    assert sorted(METADATA["tags"]) == ["cdk:low-code", "language:python"]


def test_egress_is_limited_to_codat() -> None:
    assert METADATA["allowedHosts"]["hosts"] == ["api.codat.io"]


def test_the_documentation_is_where_airbyte_looks_for_it() -> None:
    assert METADATA["documentationUrl"] == "https://docs.airbyte.com/integrations/sources/codat"
    assert GUIDE.is_file()


def test_the_base_image_is_pinned_by_its_digest() -> None:
    assert re.fullmatch(
        r"docker\.io/airbyte/python-connector-base:\d+\.\d+\.\d+@sha256:[0-9a-f]{64}",
        METADATA["connectorBuildOptions"]["baseImage"],
    )


def test_a_first_version_needs_no_migration_guide() -> None:
    major, minor, patch = map(int, METADATA["dockerImageTag"].split("."))
    assert (minor, patch) != (0, 0) or f"{major}.0.0" in METADATA["releases"]["breakingChanges"]


def test_what_a_certified_source_must_say_is_said() -> None:
    assert METADATA["maxSecondsBetweenMessages"] > 0
    assert METADATA["remoteRegistries"]["pypi"]["enabled"] in {True, False}
    assert {suite["suite"] for suite in METADATA["connectorTestSuitesOptions"]} >= {
        "unitTests",
        "integrationTests",
    }


def test_every_kind_of_job_has_the_memory_and_the_core_that_were_measured() -> None:
    needs = METADATA["resourceRequirements"]
    [sync] = [one["resourceRequirements"] for one in needs["jobSpecific"] if one["jobType"] == "sync"]
    for one in (needs["default"], sync):
        request, limit = (int(one[f"memory_{kind}"].removesuffix("Mi")) for kind in ("request", "limit"))
        assert 175 < request < 300 < limit, (
            "175 MB is the most that was measured, 300 MB the bar of make bench"
        )
        assert float(one["cpu_request"]) < float(one["cpu_limit"]) == 1


def test_the_documents_that_a_maintainer_needs_are_linked() -> None:
    kinds = {one["type"] for one in METADATA["externalDocumentationUrls"]}
    assert kinds >= {
        "api_reference",
        "api_release_history",
        "authentication_guide",
        "rate_limits",
        "status_page",
    }


def staged(place: Path) -> Path:
    """The connector as it would stand in Airbyte's repository, held to what a certified one must do."""
    connector = place / "airbyte-integrations" / "connectors" / "source-codat"
    connector.mkdir(parents=True)
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        check=False,
        capture_output=True,
    )
    if listed.returncode:
        pytest.skip("not a git checkout")
    for name in filter(None, listed.stdout.decode().split("\0")):
        if (ROOT / name).is_file():
            (connector / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, connector / name)
    docs = place / "docs" / "integrations" / "sources"
    docs.mkdir(parents=True)
    shutil.copyfile(GUIDE, docs / "codat.md")
    certified = {
        **METADATA,
        "supportLevel": "certified",
        "ab_internal": {**METADATA["ab_internal"], "sl": 300, "ql": 400},
    }
    (connector / "metadata.yaml").write_text(yaml.safe_dump({**DOCUMENT, "data": certified}))
    return place


@pytest.fixture(scope="module")
def qa(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """The outcome of each of Airbyte's checks, by the check's name."""
    place = staged(tmp_path_factory.mktemp("airbyte"))
    os.environ.update(AIRBYTE_DISABLE_TELEMETRY="1", DO_NOT_TRACK="1", AIRBYTE_OFFLINE_MODE="1")
    with pytest.MonkeyPatch.context() as patched:
        patched.chdir(place)
        yield outcomes(patched)


def outcomes(patched: pytest.MonkeyPatch) -> dict[str, Any]:
    def offline(*_: Any, **__: Any) -> Any:
        """Every question to the network is answered with 404: this connector isn't published."""
        return SimpleNamespace(ok=False, status_code=404, text="", raise_for_status=lambda: None, json=dict)

    patched.setattr("requests.get", offline)
    utils = importlib.import_module("airbyte_ops_mcp.connector_ops.utils")
    validator = importlib.import_module("airbyte_ops_mcp.metadata_validator")
    checks = importlib.import_module("airbyte_ops_mcp.connector_qa.checks")
    options = validator.ValidatorOptions
    patched.setattr(utils.Connector, "is_released", property(lambda _: False))
    patched.setattr(
        importlib.import_module("airbyte_ops_mcp.connector_qa.checks.metadata"),
        "ValidatorOptions",
        lambda **given: options(**{**given, "disable_dockerhub_checks": True}),
    )
    connector = utils.Connector("source-codat")
    enabled = {type(check).__name__: check for check in checks.ENABLED_CHECKS}
    return {name: check.run(connector) for name, check in enabled.items() if name not in NEEDS_NETWORK}


@needs_qa
def test_airbytes_checks_pass_but_for_two_that_forbid_the_layout(qa: dict[str, Any]) -> None:
    failed = {name: one.message for name, one in qa.items() if one.status.name == "FAILED"}
    assert {name: why for name, why in failed.items() if name not in EXCUSED} == {}
    assert set(failed) == EXCUSED, "an excuse that is no longer needed"


@needs_qa
def test_nearly_all_of_airbytes_checks_apply_here(qa: dict[str, Any]) -> None:
    skipped = {name for name, one in qa.items() if one.status.name == "SKIPPED"}
    assert len(qa) >= 25
    assert skipped <= {"CheckManifestOnlyConnectorBaseImage"}


@needs_qa
def test_airbytes_checks_would_notice_a_wrong_heading(tmp_path: Path) -> None:
    place = staged(tmp_path)
    guide = place / "docs" / "integrations" / "sources" / "codat.md"
    guide.write_text(guide.read_text().replace("## Supported Streams", "## The Streams"))
    with pytest.MonkeyPatch.context() as patched:
        patched.chdir(place)
        found = outcomes(patched)
    assert found["CheckDocumentationHeadersOrder"].status.name == "FAILED"


def test_the_environment_of_the_checks_is_named_in_the_makefile() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert re.search(r"^release-check:.*##", makefile, re.MULTILINE)
    assert "airbyte-internal-ops==" in makefile
