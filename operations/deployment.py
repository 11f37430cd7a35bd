"""Which deployment a command is for, from the outputs file that the lab and every deploy write."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deployment import flat_outputs
from shared.errors import SettingsError

# By field. Not taken from the contracts: they import Pulumi, which takes longer than the command itself.
OUTPUTS = {
    "controller_region": "controllerRegion",
    "operator_role_arn": "operatorRoleArn",
    "failover_function_name": "failoverFunctionName",
    "state_table_name": "stateTableName",
}
ACCOUNT_KEY = "accountId"
ROLE_KEY = OUTPUTS["operator_role_arn"]
# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html
ROLE_ARN = re.compile(r"arn:[^:]+:iam::(?P<account_id>\d{12}):role/.+")


@dataclass(frozen=True)
class Deployment:
    """Where to find what a command needs.

    Attributes:
        stack_name: the stack that the outputs are of.
        account_id: the AWS account that it is deployed in.
        controller_region: region of the function and the table.
        operator_role_arn: the role to take.
        failover_function_name: the function that gives reports.
        state_table_name: the table that holds pause, order and incidents.
    """

    stack_name: str
    account_id: str
    controller_region: str
    operator_role_arn: str
    failover_function_name: str
    state_table_name: str

    @property
    def identity(self) -> Mapping[str, str]:
        """Stack, account and region, for ``--json``."""
        return {
            "stack_name": self.stack_name,
            "account_id": self.account_id,
            "controller_region": self.controller_region,
        }

    def __str__(self) -> str:
        return f"stack {self.stack_name}, account {self.account_id}, controller in {self.controller_region}"

    @classmethod
    def read(cls, file: Path, stack: str | None = None) -> Deployment:
        """Read the flat outputs.

        Args:
            file: the outputs of all layers, ``cfn-outputs/flat-outputs.json``.
            stack: the stack that the outputs must be of; None for any.

        Raises:
            SettingsError: there is no such file, it is of another stack, it lacks outputs of the dr-automation layer,
                or the role is of another account than the network layer.
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
        found = {}
        for name, key in OUTPUTS.items():
            value = outputs.get(key)
            if not isinstance(value, str) or not value:
                raise SettingsError(
                    key,
                    f"{value!r} in {file}",
                    f"deploy the dr-automation layer, then run ./dr outputs -- --stack {owner}",
                )
            found[name] = value
        return cls(stack_name=owner, account_id=_account_id(outputs, file), **found)


def _account_id(outputs: Mapping[str, Any], file: Path) -> str:
    """The account of the role; it must be the network layer's, if the file has that layer's outputs."""
    role = ROLE_ARN.fullmatch(outputs[ROLE_KEY])
    again = f"write it again with ./dr outputs -- --stack {outputs[flat_outputs.STACK_KEY]}"
    if role is None:
        raise SettingsError(ROLE_KEY, f"{outputs[ROLE_KEY]} in {file}", f"not the ARN of a role; {again}")
    of_role = role["account_id"]
    if ACCOUNT_KEY in outputs and outputs[ACCOUNT_KEY] != of_role:
        raise SettingsError(
            ACCOUNT_KEY,
            f"{outputs[ACCOUNT_KEY]!r} in {file}",
            f"{ROLE_KEY} is of account {of_role}; {again}",
        )
    return of_role
