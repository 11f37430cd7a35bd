"""The person who operates the system: their own credentials, and the operators' role with no more than its rights."""

from __future__ import annotations

from typing import Any, cast

import boto3

from deployment.state_tables import read_tables
from drills.system import LabSystem
from function_runtime.sites import Site
from operations.access import CONFIG, Role
from operations.console import Console
from operations.deployment import Deployment
from operations.places import Places
from operations.reprotect.on_aws import AwsWorld

OPERATOR = "arn:aws:iam::000000000000:user/the-drills-operator"


class _Session:
    """Clients under a role: a region that is dark does not answer them."""

    def __init__(self, system: LabSystem, role_arn: str, region: str) -> None:
        self._system = system
        taken = system.client("sts", region).assume_role(RoleArn=role_arn, RoleSessionName="the-drills-operator")
        given = taken["Credentials"]
        self._session = boto3.session.Session(
            aws_access_key_id=given["AccessKeyId"],
            aws_secret_access_key=given["SecretAccessKey"],
            aws_session_token=given["SessionToken"],
        )

    def client(self, service: str, *, region_name: str, config: Any = CONFIG) -> Any:
        """A client of the lab's AWS."""
        where = self._system.client(service, region_name).meta.endpoint_url
        return self._session.client(cast(Any, service), region_name=region_name, endpoint_url=where, config=config)


def operators_world(system: LabSystem) -> AwsWorld:
    """AWS as the operators' commands see it.

    Raises:
        SettingsError: there are no outputs, or one is missing.
        ClientError, BotoCoreError: the role cannot be taken.
    """
    deployment, places = Deployment.read(system.outputs_file), Places.of(system.outputs)
    session = _Session(system, deployment.operator_role_arn, deployment.regions[0])
    dynamodb = {site: session.client("dynamodb", region_name=place.region) for site, place in deployment.at.items()}
    tables = read_tables(dynamodb, {site: place.state_table_name for site, place in deployment.at.items()})
    return AwsWorld(
        by=OPERATOR,
        deployment=deployment,
        role=Role(OPERATOR, cast(boto3.session.Session, session), dynamodb, tables),
        rds={site: system.client("rds", place.region) for site, place in places.at.items()},
        places=places,
        arns={site: str(system.outputs[f"{site}DatabaseArn"]) for site in Site},
        console=Console(),
    )
