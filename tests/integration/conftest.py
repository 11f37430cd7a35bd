"""What is really deployed, as the stack outputs name it (P2).

By default the lab is brought up once for all of these tests. ``--against aws`` takes the credentials of the environment
and the ``cfn-outputs/flat-outputs.json`` that ``nox -s deploy`` or ``nox -s outputs`` wrote.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import boto3
import pytest

from deployment.flat_outputs import FLAT_OUTPUTS_FILE
from lab.lab import Lab
from lab.settings import LabSettings
from shared.sites import Site

DEFAULT_REGIONS = {Site.PRIMARY: "ap-southeast-2", Site.RECOVERY: "ap-southeast-1"}


@dataclass(frozen=True)
class Deployed:
    """An environment to look at.

    Attributes:
        outputs: the flat outputs of all layers.
        client: makes a boto3 client of a service in a region.
        regions: the region of each site.
    """

    outputs: dict[str, Any]
    client: Callable[[str, str], Any]
    regions: Mapping[Site, str]

    def at(self, site: Site, service: str) -> Any:
        """A client of the service in the site's region."""
        return self.client(service, self.regions[site])

    def output(self, site: Site, key: str) -> Any:
        """A site's output: ``output(PRIMARY, "VpcId")`` is ``primaryVpcId``."""
        return self.outputs[f"{site}{key}"]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--against", choices=("lab", "aws"), default="lab", help="where the layers are deployed")


@pytest.fixture(scope="session")
def deployed(request: pytest.FixtureRequest) -> Iterator[Deployed]:
    if request.config.getoption("--against") == "aws":
        yield Deployed(json.loads(FLAT_OUTPUTS_FILE.read_text()), boto3.client, DEFAULT_REGIONS)
        return
    with Lab(LabSettings.from_environment(port=0), progress=print) as lab:
        # Its own outputs: another lab of this checkout may have written the file.
        yield Deployed(dict(lab.outputs), lab.client, lab.regions)


@pytest.fixture(params=list(Site), ids=str)
def site(request: pytest.FixtureRequest) -> Site:
    return Site(request.param)
