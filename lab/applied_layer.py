"""The data layer of a lab as ``nox -s reprotect`` sees one: its configuration, its deploys, its instances."""

from __future__ import annotations

import difflib
import json
import re
import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from lab.engine import LabEngine
from lab.settings import LAB_STACK
from shared.environment import Environment
from shared.errors import SettingsError
from shared.layers import REPOSITORY_ROOT, layer
from shared.sites import Site
from shared.stack_files import as_text

DATA = layer("data")
KEYS = ("activeSite", "primaryGeneration", "recoveryGeneration", "primaryBirth", "recoveryBirth", "retiring")
"""What says which site is active and how each site's instance was born."""
INSTANCE = "aws:rds/instance:Instance"
REPLICATION = "aws:rds/instanceAutomatedBackupsReplication:InstanceAutomatedBackupsReplication"
_FILE = f"Pulumi.{LAB_STACK}.yaml"


class AppliedDataLayer:
    """The layer's files are copied into the lab's home, and changed there: nothing is written into the checkout.

    Args:
        folder: where the copies go.
        engine: the lab's.
        environment: whose.
        settings: what the lab's settings say instead of the layer's file.
        deployed: is called after each deploy, however it ended.

    Attributes:
        folder: where the project's and the stack's file are.
        overrides: the settings but for `KEYS`, which are in the file.
    """

    def __init__(
        self,
        folder: Path,
        engine: LabEngine,
        environment: Environment,
        settings: Mapping[str, object],
        deployed: Callable[[], None],
    ) -> None:
        self.folder = folder
        self.overrides = {key: value for key, value in settings.items() if key not in KEYS}
        self._engine = engine
        self._environment = environment
        self._deployed = deployed
        for file in ("Pulumi.yaml", _FILE):
            shutil.copy(DATA.folder / file, folder)
        self.change({key: str(settings[key]) for key in KEYS if key in settings})

    def configuration(self) -> Mapping[str, str]:
        """Those of `KEYS` that the file sets, as they are set."""
        values = yaml.safe_load(self._file.read_text(encoding="utf-8"))["config"]
        set_keys = {key: f"{DATA.project}:{key}" for key in KEYS}
        return {key: as_text(values[full_key]) for key, full_key in set_keys.items() if full_key in values}

    def change(self, values: Mapping[str, str | None]) -> str:
        """Set keys of the configuration, or remove those that are None.

        Returns:
            the change as a unified diff of the layer's file.

        Raises:
            SettingsError: a key is none of `KEYS`; nothing is changed.
        """
        for key, value in values.items():
            if key not in KEYS:
                raise SettingsError(key, value, f"in a lab that runs, these can change: {', '.join(KEYS)}")
        before = after = self._file.read_text(encoding="utf-8")
        for key, value in values.items():
            line = "" if value is None else f"  {DATA.project}:{key}: {json.dumps(value)}\n"
            if _line(key).search(after):
                after = _line(key).sub(lambda _, line=line: line, after)  # type: ignore[misc]
            else:
                after += line
        self._file.write_text(after, encoding="utf-8")
        name = (DATA.folder / _FILE).relative_to(REPOSITORY_ROOT)
        lines = (before.splitlines(keepends=True), after.splitlines(keepends=True))
        return "".join(difflib.unified_diff(*lines, f"a/{name}", f"b/{name}"))

    def deploy(self, say: Callable[[str], None]) -> None:
        """Deploy the layer alone.

        Args:
            say: is given a line for each resource that was changed.

        Raises:
            Exception: what the program or the engine raised. The next deploy goes on from where it stopped.
        """
        try:
            self._engine.apply(DATA, LAB_STACK, self.overrides, files=self.folder, told=lambda done: say(done.text))
        finally:
            self._deployed()

    def instance_id(self, site: Site) -> str | None:
        """``DbiResourceId`` of the site's instance in the state; None where the state has none."""
        name = self._environment.database_id(site)
        return next((made_id for made_id, inputs in self._made(INSTANCE) if inputs["identifier"] == name), None)

    def replicates_backups_of(self, site: Site) -> bool:
        """Whether the state has a replication of the automated backups of the site's instance."""
        end = f":{self._environment.database_id(site)}"
        return any(str(inputs["sourceDbInstanceArn"]).endswith(end) for _, inputs in self._made(REPLICATION))

    def _made(self, kind: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """Id and inputs of the resources of a type in the state."""
        state = self._engine.states.get(DATA.name)
        for kept in () if state is None else state.resources:
            if kept.registration.type == kind and not kept.replaced:
                yield kept.made.id, kept.made.inputs

    @property
    def _file(self) -> Path:
        return self.folder / _FILE


def _line(key: str) -> re.Pattern[str]:
    return re.compile(rf"^ +{re.escape(DATA.project)}:{key}:.*(\n|\Z)", re.MULTILINE)
