"""The Pulumi CLI as this project calls it: one layer and one stack at a time, in the layer's folder."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from shared.errors import SettingsError
from shared.layers import Layer


class PulumiFailed(Exception):  # noqa: N818 - it says what happened
    """A call of the CLI ended with another exit code than 0.

    Attributes:
        layer: whose call it was.
        call: the call, without the executable's path.
        exit_code: what it ended with; negative: the signal that ended it.
    """

    def __init__(self, layer: Layer, arguments: Sequence[str], exit_code: int) -> None:
        self.layer = layer
        self.call = " ".join(["pulumi", *arguments])
        self.exit_code = exit_code
        super().__init__(f"{layer.name}: {self.call} ended with exit code {exit_code}")


@dataclass(frozen=True)
class PulumiCli:
    """The CLI at one path.

    Attributes:
        executable: where it is.
    """

    executable: Path

    @classmethod
    def on_path(cls) -> PulumiCli:
        """The CLI the person has installed.

        Raises:
            SettingsError: there is none.
        """
        found = shutil.which("pulumi")
        if found is None:
            raise SettingsError(
                "pulumi",
                "(not on PATH)",
                "install the Pulumi CLI (https://www.pulumi.com/docs/install/) and log in; without an AWS account, "
                "./dr drill runs everything in the lab",
            )
        return cls(Path(found))

    def select_or_create(self, layer: Layer, stack: str) -> None:
        """Make sure the layer's stack exists.

        Raises:
            PulumiFailed: the call failed.
        """
        self._run(layer, ["stack", "select", "--create", stack])

    def run(self, layer: Layer, command: str, stack: str, options: Sequence[str]) -> None:
        """Run ``pulumi up``, ``preview`` or ``destroy``; the terminal belongs to it meanwhile.

        Raises:
            PulumiFailed: the call failed.
        """
        self._run(layer, [command, "--stack", stack, *options])

    def has_stack(self, layer: Layer, stack: str) -> bool:
        """Whether the layer's stack exists.

        Raises:
            PulumiFailed: the call failed.
        """
        listed = json.loads(self._read(layer, ["stack", "ls", "--json"]))
        # A stack of another organization than the person's own comes as organization/name.
        return any(str(entry["name"]).rsplit("/", 1)[-1] == stack for entry in listed)

    def outputs(self, layer: Layer, stack: str) -> Mapping[str, object]:
        """The stack's outputs; secret ones are masked.

        Raises:
            PulumiFailed: the call failed.
        """
        outputs: dict[str, object] = json.loads(self._read(layer, ["stack", "output", "--json", "--stack", stack]))
        return outputs

    def _run(self, layer: Layer, arguments: Sequence[str]) -> None:
        with subprocess.Popen([self.executable, *arguments], cwd=layer.folder) as process:
            exit_code: int | None = None
            while exit_code is None:
                try:
                    exit_code = process.wait()
                except KeyboardInterrupt:
                    # The terminal has sent the same signal to Pulumi, which finishes the operation under way and saves
                    # its state. Killing it here would leave resources nobody knows of.
                    continue
        if exit_code != 0:
            raise PulumiFailed(layer, arguments, exit_code)

    def _read(self, layer: Layer, arguments: Sequence[str]) -> str:
        ended = subprocess.run(
            [self.executable, *arguments], cwd=layer.folder, stdout=subprocess.PIPE, text=True, check=False
        )
        if ended.returncode != 0:
            raise PulumiFailed(layer, arguments, ended.returncode)
        return ended.stdout
