"""Which deployment a command is for, from the outputs file that the lab and every deploy write."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deployment import flat_outputs
from function_runtime.sites import Site
from shared.errors import SettingsError

# By field. Not taken from the contracts: they import Pulumi, which takes longer than the command itself.
OPERATOR_ROLE_KEY = "operatorRoleArn"
# The keys begin with the site's name.
OF_A_SITE = {
    "region": "Region",
    "failover_function_name": "FailoverFunctionName",
    "state_table_name": "StateTableName",
}
ACCOUNT_KEY = "accountId"
# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html
ROLE_ARN = re.compile(r"arn:[^:]+:iam::(?P<account_id>\d{12}):role/.+")


@dataclass(frozen=True)
class ControllerPlace:
    """One site's controller.

    Attributes:
        region: the site's region.
        failover_function_name: the function that gives reports.
        state_table_name: the table that holds pause, order and incidents.
    """

    region: str
    failover_function_name: str
    state_table_name: str


@dataclass(frozen=True)
class Deployment:
    """Where to find what a command needs.

    Attributes:
        stack_name: the stack that the outputs are of.
        account_id: the AWS account that it is deployed in.
        operator_role_arn: the role to take.
        at: the controller of each site; one of them has authority.
    """

    stack_name: str
    account_id: str
    operator_role_arn: str
    at: Mapping[Site, ControllerPlace]

    @property
    def regions(self) -> tuple[str, ...]:
        """The sites' regions, first the one that is expected to be there after a disaster."""
        return self.at[Site.RECOVERY].region, self.at[Site.PRIMARY].region

    def identity(self, site: Site) -> Mapping[str, str]:
        """Stack, account and the controller that was asked, for ``--json``."""
        return {
            "stack_name": self.stack_name,
            "account_id": self.account_id,
            "controller_site": site.value,
            "controller_region": self.at[site].region,
        }

    def headline(self, site: Site) -> str:
        """What every command prints first: which deployment, and the controller it talks to."""
        return f"{self}, controller in {self.at[site].region} ({site})"

    def __str__(self) -> str:
        return f"stack {self.stack_name}, account {self.account_id}"

    @classmethod
    def read(cls, file: Path, stack: str | None = None) -> Deployment:
        """Read the flat outputs.

        Args:
            file: the outputs of all layers, ``cfn-outputs/flat-outputs.json``.
            stack: the stack that the outputs must be of; None for any.

        Raises:
            SettingsError: there is no such file, it is of another stack, it lacks outputs of the network or the
                dr-automation layer, or the role is of another account than the network layer.
        """
        outputs = flat_outputs.read(file)
        owner = str(outputs[flat_outputs.STACK_KEY])
        if stack is not None and stack != owner:
            raise SettingsError(
                "--stack",
                stack,
                f"{file} holds the outputs of stack {owner}: write those of {stack} with ./dr outputs -- --stack "
                f"{stack}, or name their file with --outputs",
            )

        def given(key: str) -> str:
            value = outputs.get(key)
            if not isinstance(value, str) or not value:
                raise SettingsError(
                    key, f"{value!r} in {file}", f"deploy all layers, then run ./dr outputs -- --stack {owner}"
                )
            return value

        at = {
            site: ControllerPlace(**{field: given(f"{site}{key}") for field, key in OF_A_SITE.items()}) for site in Site
        }
        role = given(OPERATOR_ROLE_KEY)
        return cls(owner, _account_id(role, outputs, file), role, at)


def _account_id(role_arn: str, outputs: Mapping[str, Any], file: Path) -> str:
    """The account of the role; it must be the network layer's, if the file has that layer's outputs."""
    role = ROLE_ARN.fullmatch(role_arn)
    again = f"write it again with ./dr outputs -- --stack {outputs[flat_outputs.STACK_KEY]}"
    if role is None:
        raise SettingsError(OPERATOR_ROLE_KEY, f"{role_arn} in {file}", f"not the ARN of a role; {again}")
    of_role = role["account_id"]
    if ACCOUNT_KEY in outputs and outputs[ACCOUNT_KEY] != of_role:
        raise SettingsError(
            ACCOUNT_KEY,
            f"{outputs[ACCOUNT_KEY]!r} in {file}",
            f"{OPERATOR_ROLE_KEY} is of account {of_role}; {again}",
        )
    return of_role
