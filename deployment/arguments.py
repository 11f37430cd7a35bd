"""The arguments of the deployment commands: layers, a stack, and options that are passed on to Pulumi."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from shared.environment import known_stacks
from shared.errors import SettingsError
from shared.layers import LAYERS, Layer, layer
from shared.sites import Site

DEFAULT_STACK = "dev"
PRODUCTION = "--production"
WRITER = "--writer"
REMOVE = "--remove"
PREVIEW_ONLY = "--preview-only"
# Of --preview-only --preview-only=false, Pulumi takes the last; the checks here would take the first.
SWITCHES = (PREVIEW_ONLY, "--skip-preview", "--yes", PRODUCTION, REMOVE)
YES = ("--yes", "-y")
STACK = ("--stack", "-s")
# With these, Pulumi would use other settings or another folder than were checked.
REFUSED = {
    "--config": "set it in the stack's file: given here it would not be checked, and Pulumi would write it there",
    "--config-path": "set it in the stack's file",
    "--config-file": "the stack's file is projects/<layer>/Pulumi.<stack>.yaml",
    "--cwd": "each layer is deployed from its own folder",
}


class Command(StrEnum):
    """What can be done with the layers."""

    DEPLOY = "deploy"
    PREVIEW = "preview"
    DESTROY = "destroy"
    REFRESH = "refresh"
    DRIFT = "drift"
    OUTPUTS = "outputs"

    @property
    def changes_state(self) -> bool:
        """Whether anything is different afterwards, in AWS or in what Pulumi knows of it."""
        return self in (Command.DEPLOY, Command.DESTROY, Command.REFRESH)

    @property
    def runs_programs(self) -> bool:
        """Whether the layers' programs run, with their settings: ``pulumi destroy`` and ``refresh`` run none."""
        return self in (Command.DEPLOY, Command.PREVIEW)


ONLY_WITH = {WRITER: (Command.DEPLOY, Command.PREVIEW, Command.DESTROY), REMOVE: (Command.DESTROY,)}


@dataclass(frozen=True)
class Request:
    """One call of a deployment command.

    Attributes:
        command: what to do.
        layers: with which layers, in the order to do it in.
        stack: in which stack of each.
        yes: do not ask before changing anything.
        production: ``--production`` was given.
        writer: ``--writer``: whose database takes writes, by the person's word; None where it was not given.
        remove: remove the destroyed stacks from the backend as well, with their history.
        handed_on: the arguments for Pulumi's own command, as they were given.
    """

    command: Command
    layers: tuple[Layer, ...]
    stack: str
    yes: bool = False
    production: bool = False
    writer: Site | None = None
    remove: bool = False
    handed_on: tuple[str, ...] = ()

    @property
    def changes_something(self) -> bool:
        """Whether anything is different afterwards, in AWS or in what Pulumi knows of it."""
        return self.command.changes_state and PREVIEW_ONLY not in self.handed_on

    def to_go_on(self, remaining: Sequence[Layer]) -> str:
        """The command line that does the same with the remaining layers only."""
        words = ["./dr", str(self.command), "--", *(left.name for left in remaining)]
        if self.stack != DEFAULT_STACK:
            words += ["--stack", self.stack]
        words += [] if self.writer is None else [WRITER, self.writer]
        given = {"--yes": self.yes, PRODUCTION: self.production, REMOVE: self.remove}
        words += [word for word, is_given in given.items() if is_given]
        return shlex.join([*words, *self.handed_on])


def parse(command: Command, arguments: Sequence[str]) -> Request:
    """Read a command's arguments: ``[LAYER ...] [--stack NAME] [--yes] [--production] [Pulumi's own options]``.

    Only Pulumi knows which of its options take a value, so they are given as one word each: ``--parallel=4``.

    Raises:
        SettingsError: an unknown layer or stack, or an argument in the wrong place.
    """
    names: list[str] = []
    handed_on: list[str] = []
    words: set[str] = set()
    writer: Site | None = None
    stack = DEFAULT_STACK
    left = list(arguments)
    while left:
        argument = left.pop(0)
        option, equals, value = argument.partition("=")
        if option in STACK:
            if not equals and not left:
                raise SettingsError("--stack", "(not set)", "give the stack's name after it")
            stack = value if equals else left.pop(0)
        elif option == WRITER:
            if not equals and not left:
                raise SettingsError(WRITER, "(not set)", f"give one of {', '.join(Site)} after it")
            writer = _site(value if equals else left.pop(0))
            words.add(WRITER)
        elif argument in (*YES, PRODUCTION, REMOVE):
            words.add("--yes" if argument in YES else argument)
        elif argument.startswith("-"):
            _refuse(option)
            if equals and option in SWITCHES:
                raise SettingsError(argument, "(given)", f"give {option} without a value, or leave it out")
            handed_on.append(argument)
        elif handed_on and argument not in [known.name for known in LAYERS]:
            raise SettingsError(
                handed_on[-1], argument, f"give an option's value with =, as in {handed_on[-1]}={argument}"
            )
        else:
            names.append(argument)
    if handed_on and command is Command.OUTPUTS:
        raise SettingsError(handed_on[0], "(given)", "outputs takes layers and --stack only")
    if command is Command.DEPLOY and PREVIEW_ONLY in handed_on:
        raise SettingsError(PREVIEW_ONLY, "(given)", "that is ./dr preview")
    for word, its_commands in ONLY_WITH.items():
        if word in words and command not in its_commands:
            raise SettingsError(word, "(given)", f"it is an option of {' and '.join(its_commands)}")
    layers = _in_order(command, [layer(name) for name in names])
    for chosen in layers:
        _check_stack(chosen, stack)
    return Request(
        command=command,
        layers=layers,
        stack=stack,
        yes="--yes" in words,
        production=PRODUCTION in words,
        writer=writer,
        remove=REMOVE in words,
        handed_on=tuple(handed_on),
    )


def _site(text: str) -> Site:
    if text not in tuple(Site):
        raise SettingsError(WRITER, text, f"give one of {', '.join(Site)}")
    return Site(text)


def _refuse(option: str) -> None:
    if option in REFUSED:
        raise SettingsError(option, "(given)", REFUSED[option])
    # Pulumi accepts -ckey=value, -C/elsewhere and -yslab, which mean the options refused above.
    if not option.startswith("--"):
        raise SettingsError(option, "(given)", "give Pulumi's options by their long names, such as --parallel=4")


def _in_order(command: Command, named: Sequence[Layer]) -> tuple[Layer, ...]:
    chosen = [known for known in LAYERS if known in named or not named]
    return tuple(reversed(chosen)) if command is Command.DESTROY else tuple(chosen)


def _check_stack(chosen: Layer, stack: str) -> None:
    if "/" in stack:
        raise SettingsError(
            "stack",
            stack,
            f"give the stack's own name, {stack.rpartition('/')[2] or DEFAULT_STACK}: it is the same in all four "
            "projects; for an organization that is not your default one, pulumi org set-default first",
        )
    there = {file.name.removeprefix("Pulumi.").removesuffix(".yaml") for file in chosen.folder.glob("Pulumi.*.yaml")}
    if stack not in there or stack not in known_stacks():
        both = ", ".join(sorted(there & set(known_stacks()))) or "none"
        raise SettingsError(
            "stack",
            stack,
            f"layer {chosen.name} has {both}; another environment is a copy: ./dr environment -- {stack or 'NAME'} "
            f"--from {DEFAULT_STACK}",
        )
