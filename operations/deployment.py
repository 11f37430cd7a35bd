"""Where the controller is, from the outputs that the lab and every deploy write."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from shared.errors import SettingsError

# By field. Written out: the contract's own classes bring Pulumi, which takes longer to import than the rest to run.
OUTPUTS = {
    "controller_region": "controllerRegion",
    "operator_role_arn": "operatorRoleArn",
    "failover_function_name": "failoverFunctionName",
    "state_table_name": "stateTableName",
}


@dataclass(frozen=True)
class Deployment:
    """Where to find what a command needs.

    Attributes:
        controller_region: region of the function and the table.
        operator_role_arn: the role to take.
        failover_function_name: the function that answers questions.
        state_table_name: the table that holds what people say.
    """

    controller_region: str
    operator_role_arn: str
    failover_function_name: str
    state_table_name: str

    @classmethod
    def read(cls, file: Path) -> Deployment:
        """Read the flat outputs.

        Args:
            file: the outputs of all layers, ``cfn-outputs/flat-outputs.json``.

        Raises:
            SettingsError: there is no such file, or the dr-automation layer's outputs are not in it.
        """
        try:
            outputs = json.loads(file.read_text())
        except FileNotFoundError as error:
            raise SettingsError(
                "--outputs", f"{file} (no such file)", "start the lab (./dr lab), or write it with ./dr outputs"
            ) from error
        except (OSError, ValueError) as error:
            raise SettingsError(
                "--outputs", f"{file} (unreadable: {error})", "write it again with ./dr outputs"
            ) from error
        found = {}
        for name, key in OUTPUTS.items():
            value = outputs.get(key) if isinstance(outputs, dict) else None
            if not isinstance(value, str) or not value:
                raise SettingsError(
                    key, f"{value!r} in {file}", "deploy the dr-automation layer, then run ./dr outputs"
                )
            found[name] = value
        return cls(**found)
