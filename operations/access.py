"""Take a role with the credentials that the environment has: a person's on AWS, the lab's in the lab."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    CredentialRetrievalError,
    NoCredentialsError,
    PartialCredentialsError,
    ProfileNotFound,
    TokenRetrievalError,
)

from deployment.state_tables import Tables, read_tables
from function_runtime.sites import Site
from operations.control_item import ControlItem
from operations.deployment import ControllerPlace, Deployment
from operations.errors import RefusedError
from shared.errors import SettingsError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_sts import STSClient

CONFIG = Config(connect_timeout=5, read_timeout=10, retries={"total_max_attempts": 3, "mode": "standard"})
# A list that is only shown is not waited for.
LISTING = Config(connect_timeout=3, read_timeout=10, retries={"total_max_attempts": 1, "mode": "standard"})
# The function waits for the timeouts of a region that does not answer.
ASKING = Config(connect_timeout=5, read_timeout=60, retries={"total_max_attempts": 2, "mode": "standard"})
NO_CREDENTIALS = (
    NoCredentialsError,
    PartialCredentialsError,
    CredentialRetrievalError,
    ProfileNotFound,
    TokenRetrievalError,
)
# https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
NOT_IN_A_SESSION_NAME = re.compile(r"[^\w+=,.@-]", re.ASCII)
LONGEST_SESSION_NAME = 64


@dataclass(frozen=True)
class Access:
    """What a command works with: the controller that it talks to, under the operators' role.

    Attributes:
        by: ARN of the person's own identity.
        site: whose controller it is.
        place: its function and its table.
        lambda_client: Lambda in its region.
        dynamodb: DynamoDB in each site's region.
        session: where other clients come from.
    """

    by: str
    site: Site
    place: ControllerPlace
    lambda_client: LambdaClient
    dynamodb: Mapping[Site, DynamoDBClient]
    session: boto3.session.Session

    @property
    def control(self) -> ControlItem:
        """The item in which people tell this controller what they want."""
        return ControlItem(self.dynamodb[self.site], self.place.state_table_name)


@dataclass(frozen=True)
class Role:
    """The operators' role, before it is known which controller has authority.

    Attributes:
        by: ARN of the person's own identity.
        session: a session of the role.
        dynamodb: DynamoDB in each site's region.
        tables: what both state tables say.
    """

    by: str
    session: boto3.session.Session
    dynamodb: Mapping[Site, DynamoDBClient]
    tables: Tables

    def toward(self, site: Site, deployment: Deployment) -> Access:
        """What a command needs to talk to a site's controller."""
        place = deployment.at[site]
        lambda_client = self.session.client("lambda", region_name=place.region, config=ASKING)
        return Access(self.by, site, place, lambda_client, self.dynamodb, self.session)


def take_role(deployment: Deployment) -> Role:
    """Take the operators' role and read both state tables.

    Args:
        deployment: which role, and where.

    Raises:
        SettingsError: the environment has no credentials, or those of another account.
        RefusedError: STS does not answer in either region, or refuses the role.
    """
    by, session = session_under(deployment.operator_role_arn, deployment)
    dynamodb = {
        site: session.client("dynamodb", region_name=place.region, config=CONFIG)
        for site, place in deployment.at.items()
    }
    names = {site: place.state_table_name for site, place in deployment.at.items()}
    return Role(by, session, dynamodb, read_tables(dynamodb, names))


def session_under(role: str, deployment: Deployment) -> tuple[str, boto3.session.Session]:
    """The person's own ARN, and a session under a role.

    Args:
        role: the role to take.
        deployment: whose role it is. STS of one site's region is asked, and if that is silent the other's: what STS
            gives is good in all regions.

    Raises:
        SettingsError: the environment has no credentials, or those of another account; the role was not taken.
        RefusedError: STS does not answer, or refuses the role.
    """
    first, last = deployment.regions
    with suppress(_SilentError):
        return _session_by(first, role, deployment)
    return _session_by(last, role, deployment)


class _SilentError(RefusedError):
    """STS of a region does not answer."""


def _session_by(region: str, role: str, deployment: Deployment) -> tuple[str, boto3.session.Session]:
    try:
        own = boto3.session.Session()
        # STS of a site's region: the global endpoint is in one region, which may be the one that is down.
        sts: STSClient = own.client("sts", region_name=region, config=CONFIG)
        identity = sts.get_caller_identity()
        by = identity["Arn"]
        _refuse_another_account(deployment, identity["Account"], by, role)
        if role != deployment.operator_role_arn and is_session_of(by, deployment.operator_role_arn):
            raise SettingsError(
                "AWS credentials",
                f"of the operators' role ({by})",
                f"this command needs another role: use your own credentials, or a profile with role_arn = {role}",
            )
        return by, own if is_session_of(by, role) else _session_in_role(sts, role, by)
    except NO_CREDENTIALS as error:
        raise SettingsError(
            "AWS credentials",
            f"(none: {error})",
            f"set AWS_PROFILE or log in, to account {deployment.account_id} of stack {deployment.stack_name}; for the "
            "lab, set the variables that ./dr lab prints",
        ) from error
    except ClientError as error:
        raise RefusedError(
            "AWS credentials",
            f"(refused: {error})",
            f"log in again, to account {deployment.account_id} of stack {deployment.stack_name}",
        ) from error
    except BotoCoreError as error:
        raise _SilentError(
            f"STS in {region}",
            f"(no answer: {error})",
            "check the network; for the lab, start it and set the variables that it prints",
        ) from error


def is_session_of(caller_arn: str, role_arn: str) -> bool:
    """Whether the caller already has that role, for instance by a profile with ``role_arn``."""
    # A session's ARN does not have the role's path:
    # https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html
    account, name = role_arn.split(":")[4], role_arn.rpartition("/")[2]
    return f":sts::{account}:assumed-role/{name}/" in caller_arn


def session_name(caller_arn: str) -> str:
    """The caller's name as a session name, which CloudTrail records with every call."""
    name = NOT_IN_A_SESSION_NAME.sub("-", re.split("[:/]", caller_arn)[-1])[:LONGEST_SESSION_NAME]
    return name.ljust(2, "-")


def _refuse_another_account(deployment: Deployment, account_id: str, by: str, role: str) -> None:
    if account_id != deployment.account_id:
        raise SettingsError(
            "AWS credentials",
            f"of account {account_id} ({by})",
            f"stack {deployment.stack_name} is in account {deployment.account_id}: set AWS_PROFILE to credentials of "
            f"that account, or to a profile with role_arn = {role}; or, if you mean another "
            "stack, write its outputs with ./dr outputs -- --stack NAME",
        )


def _session_in_role(sts: STSClient, role: str, by: str) -> boto3.session.Session:
    try:
        given = sts.assume_role(RoleArn=role, RoleSessionName=session_name(by))["Credentials"]
    except ClientError as error:
        raise RefusedError(
            "role",
            role,
            f"{by} may not take this role ({error}); the settings operatorPrincipals and requireMfa of dr-automation "
            "say who may, and your own IAM policy must allow sts:AssumeRole on it",
        ) from error
    return boto3.session.Session(
        aws_access_key_id=given["AccessKeyId"],
        aws_secret_access_key=given["SecretAccessKey"],
        aws_session_token=given["SessionToken"],
    )
