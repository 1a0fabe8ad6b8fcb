"""The CDK's own tests of a connector's image, on the image that this checkout's Dockerfile makes.

Left to itself the CDK builds from templates that it downloads, with `docker buildx`; it takes an image
that is there as well. `test_image.py` asserts what these tests leave open: which rows a read brings.
"""

from collections.abc import Iterator
from typing import Any

import pytest
from airbyte_cdk.test.entrypoint_wrapper import EntrypointOutput
from airbyte_cdk.test.standard_tests import docker_base
from airbyte_cdk.test.standard_tests.docker_base import DockerConnectorTestSuite

from codat_simulator import Simulator
from integration_tests.support.acceptance import CUSTOM, acceptance
from integration_tests.support.image import AS_PLANNED
from unit_tests.support.catalogue import CATALOGUE

pytest_plugins = ["airbyte_cdk.test.standard_tests.pytest_hooks"]
pytestmark = [
    pytest.mark.image_tests,
    pytest.mark.slow,
    pytest.mark.xdist_group("image"),
    pytest.mark.filterwarnings("error::UserWarning"),
]
ANSWERS: list[EntrypointOutput] = []


@pytest.fixture(scope="module", autouse=True)
def sim() -> Iterator[Simulator]:
    with acceptance() as simulator, pytest.MonkeyPatch.context() as patched:
        run = docker_base.run_docker_airbyte_command

        def as_planned(command: list[str], **options: Any) -> EntrypointOutput:
            """The simulator listens on loopback, and the CDK has no option for a container's network."""
            assert command[:2] == ["docker", "run"]
            answer = run([*command[:2], *AS_PLANNED, *command[2:]], **options)
            ANSWERS.append(answer)
            return answer

        patched.setattr(docker_base, "run_docker_airbyte_command", as_planned)
        yield simulator


@pytest.fixture
def connector_image_override(image: str) -> str:
    """Stands in for `--connector-image`."""
    return image


@pytest.fixture
def connector_base_image_override() -> None:
    """Stands in for `--connector-base-image`."""


@pytest.fixture
def read_from_streams() -> str:
    """Stands in for `--read-from-streams`."""
    return "all"


@pytest.fixture
def read_scenarios() -> str:
    """Stands in for `--read-scenarios`."""
    return "default"


class TestSuiteImage(DockerConnectorTestSuite):
    """The CDK's standard tests of an image; the first read is of all streams."""

    # Compares with the version in Airbyte's public registry, over the network: there is none yet.
    test_docker_image_spec_backward_compatibility = None  # type: ignore[assignment]


@pytest.mark.usefixtures("image")
def test_the_cdk_read_every_stream_to_its_end_in_a_container() -> None:
    """It looks at exit codes only."""
    read = ANSWERS[-1]
    assert {one.record.stream for one in read.records if one.record} == {
        *CATALOGUE,
        f"custom_{CUSTOM}",
        "read_outcomes",
    }
    assert read.errors == []
