"""The data layer as the Pulumi CLI deploys it, with the settings in its stack's file."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from deployment.arguments import PRODUCTION, Command
from deployment.command import run
from deployment.operation import Stopped
from deployment.pulumi_cli import PulumiCli, PulumiFailed
from deployment.situation_in_aws import NONE, RETIRING
from function_runtime.sites import Site
from operations.errors import RefusedError
from operations.reprotect.data_layer import KEYS, DataLayer
from shared.errors import SettingsError
from shared.layers import REPOSITORY_ROOT, layer
from shared.stack_file_edits import edited
from shared.stack_files import written_value

DATA = layer("data")
INSTANCE = "aws:rds/instance:Instance"
REPLICATION = "aws:rds/instanceAutomatedBackupsReplication:InstanceAutomatedBackupsReplication"


@dataclass(frozen=True)
class PulumiDataLayer(DataLayer):
    """The layer's stack.

    Attributes:
        stack: its name.
        identifiers: what each site's instance is called.
        arns: the ARN of each site's instance.
        cli: the Pulumi CLI.
    """

    stack: str
    identifiers: Mapping[Site, str]
    arns: Mapping[Site, str]
    cli: PulumiCli

    def required(self) -> None:
        """Refuse to go on without the stack.

        Raises:
            RefusedError: it is not in this backend, so that nothing could tell which instances are Pulumi's.
        """
        try:
            found = self.cli.has_stack(DATA, self.stack)
        except PulumiFailed as error:
            raise RefusedError("pulumi", DATA.name, f"{error}: log in to the backend that has the stack") from error
        if not found:
            raise RefusedError(
                "stack",
                self.stack,
                "the data layer has none in the backend you are logged in to: is it the right one? See pulumi whoami "
                "--verbose, PULUMI_BACKEND_URL",
            )

    def configuration(self) -> Mapping[str, str]:
        """What the stack's file sets, or the project by default."""
        try:
            written = {key: written_value(DATA.folder, self.stack, key) for key in KEYS}
        except SettingsError as error:
            raise RefusedError(error.key, error.value, error.remedy) from error
        return {key: value for key, value in written.items() if value and (key, value) != (RETIRING, NONE)}

    def change(self, values: Mapping[str, str | None]) -> str:
        """In the file, line by line."""
        file = DATA.folder / f"Pulumi.{self.stack}.yaml"
        before = file.read_text(encoding="utf-8")
        now = self.configuration()
        wanted = {key: value for key, value in values.items() if now.get(key) != value}
        try:
            after = edited(before, DATA.project, wanted)
        except SettingsError as error:
            raise RefusedError(error.key, error.value, error.remedy) from error
        if after == before:
            return ""
        file.write_text(after, encoding="utf-8")
        name = str(file.relative_to(REPOSITORY_ROOT))
        return "".join(
            difflib.unified_diff(before.splitlines(keepends=True), after.splitlines(keepends=True), name, name, n=1)
        )

    def deploy(self, say: Callable[[str], None]) -> None:
        """As ``./dr deploy -- data`` does it, with all its checks; the person has said yes to the whole plan."""
        try:
            run(Command.DEPLOY, [DATA.name, "--stack", self.stack, "--yes", PRODUCTION], say, lambda question: True)
        except SettingsError as error:
            raise RefusedError(error.key, error.value, error.remedy) from error
        except (Stopped, PulumiFailed) as error:
            raise RefusedError("deploy", DATA.name, f"{error}; then call this again") from error

    def instance_id(self, site: Site) -> str | None:
        """The provider's id of an instance is its resource id."""
        found = [
            str(each["id"])
            for each in self._resources(INSTANCE)
            if (each.get("inputs") or {}).get("identifier") == self.identifiers[site]
        ]
        if len(found) > 1:
            raise RefusedError(
                f"instance of {site}",
                ", ".join(found),
                "the state has more than one of its name; take out what is gone",
            )
        return found[0] if found else None

    def replicates_backups_of(self, site: Site) -> bool:
        """By the source's ARN, which is the same in every generation."""
        return any(
            (each.get("inputs") or {}).get("sourceDbInstanceArn") == self.arns[site]
            for each in self._resources(REPLICATION)
        )

    def _resources(self, kind: str) -> Iterator[Mapping[str, Any]]:
        try:
            if not self.cli.has_stack(DATA, self.stack):
                return
            exported = self.cli.export(DATA, self.stack)
        except PulumiFailed as error:
            raise RefusedError("pulumi", DATA.name, f"{error}: log in to the backend that has the stack") from error
        for each in (exported.get("deployment") or {}).get("resources") or []:
            # What is only waiting to be deleted is not the resource any more.
            if each["type"] == kind and not each.get("delete"):
                yield each
