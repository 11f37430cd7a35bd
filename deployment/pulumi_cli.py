"""The Pulumi CLI as this project calls it: one layer and one stack at a time, in the layer's folder."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from deployment.engine_events import Summary, read_summary
from shared.errors import SettingsError
from shared.layers import Layer
from shared.stack_files import secrets_provider_of

# With the first, the CLI takes a stack's salt from its state and does not generate another one on each call.
# The second enables --event-log, which Pulumi's own Automation API uses as well.
VARIABLES = {"PULUMI_FALLBACK_TO_STATE_SECRETS_MANAGER": "true", "PULUMI_DEBUG_COMMANDS": "true"}


class PulumiFailed(Exception):  # noqa: N818 - it says what happened
    """A call of the CLI ended with another exit code than 0.

    Attributes:
        call: the call, without the executable's path and without what we add for ourselves.
        exit_code: what it ended with; negative: the signal that ended it.
    """

    def __init__(self, layer: Layer, arguments: Sequence[str], exit_code: int) -> None:
        self.call = " ".join(["pulumi", *arguments])
        self.exit_code = exit_code
        super().__init__(f"{layer.name}: {self.call} ended with exit code {exit_code}")


@dataclass(frozen=True)
class Backend:
    """Where states are kept.

    Attributes:
        url: the backend.
        user: as whom the person is logged in.
    """

    url: str
    user: str


@dataclass(frozen=True)
class PulumiCli:
    """The CLI at one path.

    Attributes:
        executable: where it is.
        variables: environment variables that override the person's.
    """

    executable: Path
    variables: Mapping[str, str] = field(default_factory=lambda: dict(VARIABLES))

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

    def with_variables(self, **variables: str) -> PulumiCli:
        """The same CLI with other environment variables."""
        return replace(self, variables={**self.variables, **variables})

    def backend(self) -> Backend:
        """Where it keeps states.

        Raises:
            SettingsError: the person is not logged in, or the backend does not answer.
        """
        asked = self._call(["whoami", "--json", "--verbose", "--non-interactive"], Path.cwd(), stderr=subprocess.PIPE)
        if asked.returncode != 0:
            said = (asked.stderr.strip() or asked.stdout.strip() or "no message").splitlines()[0]
            raise SettingsError("pulumi backend", f"({said})", "log in first: pulumi login, or set PULUMI_BACKEND_URL")
        answer = json.loads(asked.stdout)
        return Backend(url=str(answer.get("url", "unknown")), user=str(answer.get("user", "unknown")))

    def create(self, layer: Layer, stack: str, *, quiet: bool = False) -> None:
        """Make the layer's stack.

        Created from a copy of the project's files, because the CLI writes an encryption salt into the stack's file. The
        person's own file may change only if it names a secrets provider.

        Args:
            layer: whose stack.
            stack: its name.
            quiet: print nothing.

        Raises:
            PulumiFailed: the call failed.
        """
        own = layer.folder / f"Pulumi.{stack}.yaml"
        provider = secrets_provider_of(own)
        arguments = ["stack", "init", stack, "--no-select"]
        if provider is not None and not quiet:
            self._run(layer, [*arguments, "--secrets-provider", provider], layer.folder)
            return
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            shutil.copy(layer.folder / "Pulumi.yaml", folder)
            if not quiet:
                shutil.copy(own, folder)
            self._run(layer, arguments, folder, quiet=quiet)

    def remove(self, layer: Layer, stack: str) -> None:
        """Take the layer's empty stack out of the backend. Its file stays.

        Raises:
            PulumiFailed: the call failed; so it does where the stack is not empty.
        """
        self._run(layer, ["stack", "rm", stack, "--yes", "--preserve-config"], layer.folder)

    def import_(self, layer: Layer, stack: str, state: Mapping[str, Any]) -> None:
        """Give the layer's stack a state.

        Raises:
            PulumiFailed: the call failed.
        """
        arguments = ["stack", "import", "--stack", stack]
        done = self._call(arguments, layer.folder, stdin=json.dumps(state), stderr=subprocess.DEVNULL)
        if done.returncode != 0:
            raise PulumiFailed(layer, arguments, done.returncode)

    def run(
        self, layer: Layer, verb: str, stack: str, options: Sequence[str], config_file: Path | None = None
    ) -> Summary:
        """Run ``pulumi up``, ``preview``, ``destroy`` or ``refresh``, which writes to the terminal itself.

        Args:
            layer: in whose folder.
            verb: what to run.
            stack: the stack.
            options: its options.
            config_file: the stack's configuration; None for the file in the layer's folder.

        Returns:
            what it did, as far as its events tell.

        Raises:
            PulumiFailed: the call failed.
        """
        arguments = [verb, "--stack", stack, *options]
        with tempfile.TemporaryDirectory() as name:
            events = Path(name) / "events"
            ours = ["--event-log", str(events)]
            ours += [] if config_file is None else ["--config-file", str(config_file)]
            self._run(layer, arguments, layer.folder, added=ours)
            return read_summary(events)

    def has_stack(self, layer: Layer, stack: str) -> bool:
        """Whether the layer's stack exists.

        Raises:
            PulumiFailed: the call failed.
        """
        listed = json.loads(self._read(layer, ["stack", "ls", "--json"]))
        # Stacks of another organization than the person's own are listed as organization/name.
        return any(str(entry["name"]).rsplit("/", 1)[-1] == stack for entry in listed)

    def export(self, layer: Layer, stack: str) -> Mapping[str, Any]:
        """The stack's state; secrets stay encrypted.

        Raises:
            PulumiFailed: the call failed.
        """
        state: dict[str, Any] = json.loads(self._read(layer, ["stack", "export", "--stack", stack]))
        return state

    def _run(
        self, layer: Layer, arguments: Sequence[str], folder: Path, added: Sequence[str] = (), *, quiet: bool = False
    ) -> None:
        # Closing the terminal must not kill Pulumi while it creates a database: it goes on without a terminal.
        hangup = signal.signal(signal.SIGHUP, signal.SIG_IGN)
        try:
            exit_code = self._waited_for([str(self.executable), *arguments, *added], folder, quiet=quiet)
        finally:
            signal.signal(signal.SIGHUP, hangup)
        if exit_code != 0:
            raise PulumiFailed(layer, arguments, exit_code)

    def _waited_for(self, command: Sequence[str], folder: Path, *, quiet: bool) -> int:
        with subprocess.Popen(
            command,
            cwd=folder,
            env={**os.environ, **self.variables},
            stdout=subprocess.DEVNULL if quiet else None,
        ) as process:
            while True:
                try:
                    return process.wait()
                except KeyboardInterrupt:
                    # The terminal has sent the same signal to Pulumi, which finishes the operation under way and saves
                    # its state. Killing it here would leave resources that no state has.
                    continue

    def _read(self, layer: Layer, arguments: Sequence[str]) -> str:
        ended = self._call(arguments, layer.folder)
        if ended.returncode != 0:
            raise PulumiFailed(layer, arguments, ended.returncode)
        return ended.stdout

    def _call(
        self, arguments: Sequence[str], folder: Path, *, stdin: str | None = None, stderr: int | None = None
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [self.executable, *arguments],
            cwd=folder,
            env={**os.environ, **self.variables},
            input=stdin,
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
            check=False,
        )
