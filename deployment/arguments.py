"""What a person asks for: a command, layers, a stack, and what is Pulumi's business alone."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from shared.errors import SettingsError
from shared.layers import LAYERS, Layer, layer

DEFAULT_STACK = "dev"
STACK_PATTERN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


class Command(StrEnum):
    """What can be done with the layers."""

    DEPLOY = "deploy"
    PREVIEW = "preview"
    DESTROY = "destroy"
    OUTPUTS = "outputs"


@dataclass(frozen=True)
class Request:
    """One call of a deployment command.

    Attributes:
        command: what to do.
        layers: with which layers, in the order to do it in.
        stack: in which stack of each.
        yes: do not ask before changing anything.
        handed_on: the arguments for Pulumi's own command, as they were given.
    """

    command: Command
    layers: tuple[Layer, ...]
    stack: str
    yes: bool
    handed_on: tuple[str, ...]

    def to_go_on(self, remaining: Sequence[Layer]) -> str:
        """The command line that does the same with the remaining layers only."""
        words = [f"./dr {self.command} --", *(left.name for left in remaining)]
        if self.stack != DEFAULT_STACK:
            words += ["--stack", self.stack]
        if self.yes:
            words.append("--yes")
        return " ".join([*words, *self.handed_on])


def parse(command: Command, arguments: Sequence[str]) -> Request:
    """Read a command's arguments: ``[LAYER ...] [--stack NAME] [--yes] [Pulumi's own options]``.

    Layers come before Pulumi's options, because only Pulumi knows which of its options take a value.

    Raises:
        SettingsError: an unknown layer or stack, or an argument in the wrong place.
    """
    names: list[str] = []
    handed_on: list[str] = []
    stack, yes = DEFAULT_STACK, False
    left = list(arguments)
    while left:
        argument = left.pop(0)
        if argument in ("--stack", "-s"):
            if not left:
                raise SettingsError("--stack", "(not set)", "give the stack's name after it")
            stack = left.pop(0)
        elif argument.startswith("--stack="):
            stack = argument.removeprefix("--stack=")
        elif argument in ("--yes", "-y"):
            yes = True
        elif argument.startswith("-"):
            handed_on.append(argument)
        elif not handed_on:
            names.append(argument)
        elif any(argument == known.name for known in LAYERS):
            raise SettingsError("layer", argument, f"name layers before Pulumi's own options ({handed_on[0]})")
        else:
            handed_on.append(argument)
    if handed_on and command is Command.OUTPUTS:
        raise SettingsError(handed_on[0], "(given)", "outputs takes layers and --stack only")
    layers = _in_order(command, [layer(name) for name in names])
    for chosen in layers:
        _check_stack(chosen, stack)
    return Request(command=command, layers=layers, stack=stack, yes=yes, handed_on=tuple(handed_on))


def _in_order(command: Command, named: Sequence[Layer]) -> tuple[Layer, ...]:
    chosen = [known for known in LAYERS if known in named or not named]
    return tuple(reversed(chosen)) if command is Command.DESTROY else tuple(chosen)


def _check_stack(chosen: Layer, stack: str) -> None:
    there = sorted(
        file.name.removeprefix("Pulumi.").removesuffix(".yaml") for file in chosen.folder.glob("Pulumi.*.yaml")
    )
    if not STACK_PATTERN.fullmatch(stack) or stack not in there:
        raise SettingsError(
            "stack", stack, f"layer {chosen.name} has {', '.join(there) or 'none'}; write its Pulumi.<stack>.yaml first"
        )
