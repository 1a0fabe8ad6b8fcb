"""The examples of docs/scale.md against what Airbyte and Airflow publish, and against our own configuration.

Neither the Terraform provider nor Airflow is installed for the tests, so the names that they take stand here
as they were published, with where they were found.
"""

import ast
import dataclasses
import re
from pathlib import Path

import pytest

from source_codat import SourceCodat
from unit_tests.support.catalogue import CATALOGUE

DOCS = Path(__file__).resolve().parent.parent / "docs"
AIRBYTE, PARTS = DOCS / "examples" / "airbyte", DOCS / "examples" / "parts"
TERRAFORM = (AIRBYTE / "main.tf").read_text(encoding="utf-8")
PAGE = " ".join((DOCS / "scale.md").read_text(encoding="utf-8").split())

# airbytehq/terraform-provider-airbyte on GitHub: docs/index.md (version 1.3.0, commit 0092c0c), and below
# docs/resources source.md (0029a6b), source_definition.md (670f7c8) and connection.md (0ac215e, before 1.0).
# Those that are required stand first.
PUBLISHED: dict[str, tuple[set[str], set[str]]] = {
    "airbyte": (
        set(),
        {"bearer_auth", "client_id", "client_secret", "password", "server_url", "token_url", "username"},
    ),
    "airbyte_source_definition": (
        {"docker_image_tag", "docker_repository", "name", "workspace_id"},
        {"documentation_url"},
    ),
    "airbyte_source": (
        {"configuration", "name", "workspace_id"},
        {"definition_id", "resource_allocation", "secret_id"},
    ),
    "airbyte_connection": (
        {"destination_id", "source_id"},
        {
            *("configurations", "data_residency", "name", "namespace_definition", "namespace_format"),
            *("non_breaking_schema_updates_behavior", "prefix", "schedule", "status"),
        },
    ),
}
# Of the same pages: what others may read of a resource once it is made.
READ_ONLY = {
    "airbyte_source_definition": {"id"},
    "airbyte_source": {"created_at", "source_id", "source_type"},
    "airbyte_connection": {"connection_id", "workspace_id"},
}
ALLOWED = {
    "namespace_definition": {"source", "destination", "custom_format"},
    "non_breaking_schema_updates_behavior": {
        *("ignore", "disable_connection", "propagate_columns", "propagate_fully"),
    },
    "status": {"active", "inactive", "deprecated"},
    "schedule_type": {"manual", "cron"},
    "sync_mode": {
        *(
            "full_refresh_overwrite",
            "full_refresh_append",
            "incremental_append",
            "incremental_deduped_history",
        ),
    },
}
# apache/airflow on GitHub, providers/airbyte/src/airflow/providers/airbyte/operators/airbyte.py (0b57348).
OPERATOR = {
    *("connection_id", "airbyte_conn_id", "asynchronous", "deferrable", "api_version", "wait_seconds"),
    *("workspace_id", "timeout"),
}
# Of what every operator takes.
EVERY_OPERATOR = {"task_id", "retries", "max_active_tis_per_dag"}
# What PyAirbyte's own client of Airbyte's API calls them.
REQUESTS = {
    "airbyte_source_definition": "CreateDefinitionRequest",
    "airbyte_source": "SourceCreateRequest",
    "airbyte_connection": "ConnectionCreateRequest",
}


def blocks() -> dict[str, str]:
    """The bodies of the provider and of the resources, by type, indented as `terraform fmt` does."""
    found = re.findall(r'^(?:provider|resource) "(\w+)".*?\{\n(.*?)^\}', TERRAFORM, re.MULTILINE | re.DOTALL)
    return dict(found)


def arguments(body: str) -> set[str]:
    """What a block sets at its first level, without what Terraform itself takes everywhere."""
    return set(re.findall(r"^  (\w+) += ", body, re.MULTILINE)) - {"for_each"}


def test_the_example_has_every_block_of_the_published_schema_that_it_needs() -> None:
    assert blocks().keys() == PUBLISHED.keys()


@pytest.mark.parametrize("kind", PUBLISHED)
def test_a_block_sets_what_the_provider_requires_and_nothing_that_it_does_not_know(kind: str) -> None:
    required, optional = PUBLISHED[kind]
    given = arguments(blocks()[kind])
    assert required <= given <= required | optional


@pytest.mark.parametrize("kind", REQUESTS)
def test_a_block_sets_only_what_airbytes_api_takes(kind: str) -> None:
    models = pytest.importorskip("airbyte_api.models", reason="PyAirbyte isn't installed")
    known = {field.name for field in dataclasses.fields(getattr(models, REQUESTS[kind]))}
    given = arguments(blocks()[kind]) - ({"workspace_id"} if kind == "airbyte_source_definition" else set())
    assert given <= known  # the workspace of a definition is in the address


def test_what_one_resource_reads_of_another_is_published() -> None:
    read = re.findall(r"\b(airbyte_\w+)\.codat(?:\[each\.key\])?\.(\w+)", TERRAFORM)
    assert len(read) == 2
    assert all(name in READ_ONLY[kind] for kind, name in read)
    assert re.findall(r"connection\.(\w+) }", TERRAFORM) == ["connection_id"]


@pytest.mark.parametrize("name", sorted(ALLOWED.keys() - {"sync_mode", "schedule_type"}))
def test_a_choice_is_one_that_the_provider_offers(name: str) -> None:
    [chosen] = re.findall(rf'^  {name} += "(\w+)"$', TERRAFORM, re.MULTILINE)
    assert chosen in ALLOWED[name]


def test_schedules_and_streams_are_those_that_the_provider_and_the_connector_offer() -> None:
    [line] = re.findall(r"schedule_type += (.+)", TERRAFORM)
    assert set(re.findall(r'"(\w+)"', line)) == ALLOWED["schedule_type"]
    [streams] = re.findall(
        r'^variable "streams" \{.*?default = \{\n(.*?)^  \}', TERRAFORM, re.MULTILINE | re.DOTALL
    )
    modes = dict(re.findall(r'(\w+) += "(\w+)"', streams))
    assert len(modes) >= 4
    for name, mode in modes.items():
        assert mode in ALLOWED["sync_mode"]
        assert mode.startswith("full_refresh") or CATALOGUE[name][2], name


def test_the_configuration_of_each_part_has_only_fields_of_the_spec() -> None:
    fields = SourceCodat().spec(None).connectionSpecification["properties"]  # type: ignore[arg-type]  # logs nothing
    [given] = re.findall(r"jsonencode\(\{\n(.*?)\}\)", TERRAFORM, re.DOTALL)
    names = set(re.findall(r"(\w+) +=", given))
    assert {"api_key", "part"} <= names <= fields.keys()
    [shape] = re.findall(r'=> "(.+?)" \}$', TERRAFORM, re.MULTILINE)
    assert re.search(fields["part"]["pattern"], shape.replace("${number}", "1").replace("${var.parts}", "8"))


def test_the_dag_gives_airflows_operator_only_what_it_takes() -> None:
    tree = ast.parse((AIRBYTE / "airflow_dag.py").read_text(encoding="utf-8"))
    calls = {
        node.func.attr: {keyword.arg for keyword in node.keywords}
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    }
    assert calls["partial"] <= OPERATOR | EVERY_OPERATOR
    assert calls["expand"] == {"connection_id"}


def test_the_dag_reads_what_terraform_prints() -> None:
    assert 'output "connection_ids"' in TERRAFORM
    for text in (PAGE, (AIRBYTE / "airflow_dag.py").read_text(encoding="utf-8")):
        assert "terraform output -json connection_ids" in text
        assert "codat_connections" in text


def test_the_page_names_every_variable_that_has_to_be_set() -> None:
    variables = re.findall(r'^variable "(\w+)" \{\n(.*?)^\}', TERRAFORM, re.MULTILINE | re.DOTALL)
    needed = {name for name, body in variables if "default" not in body}
    assert needed <= set(re.findall(r"TF_VAR_(\w+)", PAGE)) <= {name for name, _ in variables}


def test_the_page_sets_what_the_job_reads_from_the_environment() -> None:
    read = {
        name
        for path in PARTS.glob("*.py")
        for name in re.findall(r"os\.environ(?:\.get\(|\[)\"(\w+)\"", path.read_text(encoding="utf-8"))
    }
    assert read == {"CODAT_CONFIG", "CODAT_WAREHOUSE", "CODAT_STREAMS", "CODAT_PARTS"}
    assert read <= set(re.findall(r"(\w+)=", PAGE))
