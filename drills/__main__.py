"""``python -m drills`` (``nox -s drill``): rehearse failures in the lab and judge them."""

from __future__ import annotations

import argparse
import secrets
import sys
import time
from pathlib import Path

from drills.catalogue import DRILLS, Drill, drill_named, swapped
from drills.clients.others import COMMAND, KNOWN, wanted
from drills.runner import run_drill
from drills.scenarios import DEFAULT_SCENARIO
from drills.scenarios.random_drills import random_drill
from drills.series import Series
from lab.command_line import FAILED, add_settings, run, say
from lab.lab import Lab
from lab.settings import LabSettings
from shared.layers import REPOSITORY_ROOT

REPORTS = REPOSITORY_ROOT / "reports"
MAX_DRAWN_SEED = 1_000_000


def main() -> int:
    """Run the requested drills.

    Returns:
        0 where all passed, 1 where one did not; otherwise as `lab.command_line.run`.
    """
    arguments = _arguments()
    return run(lambda: _drill(arguments))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="nox -s drill --", description="Rehearse failures in the lab and judge them.")
    add_settings(parser)
    what = parser.add_mutually_exclusive_group()
    what.add_argument(
        "--scenario",
        action="append",
        metavar="NAME",
        help=f"what breaks; several times for several drills (default: {DEFAULT_SCENARIO})",
    )
    what.add_argument("--all", action="store_true", help="every drill, each in a lab of its own")
    what.add_argument("--list", action="store_true", help="list the drills and exit")
    what.add_argument("--seed", type=_natural, metavar="N", help="random drills: the same seed gives the same ones")
    parser.add_argument("--swapped", action="store_true", help="swap the roles of the sites from the start")
    parser.add_argument(
        "--client",
        action="append",
        default=[],
        metavar="NAME",
        help=f"set a client beside the drill's own two, and compare: {', '.join(KNOWN)}, or '{COMMAND}./my-client …', "
        "a program of your own (see drills/README.md); several times for several",
    )
    parser.add_argument("--count", type=_natural, metavar="K", help="how many random drills (default: 1)")
    parser.add_argument("--reports", type=Path, default=REPORTS, help="where the reports go (default: reports/)")
    arguments = parser.parse_args()
    _complete(arguments, parser)
    return arguments


def _complete(arguments: argparse.Namespace, parser: argparse.ArgumentParser) -> None:
    """``--count`` alone means random drills with a new seed; the seed is in their reports."""
    if arguments.count is None:
        arguments.count = 1
    elif arguments.all or arguments.list or arguments.scenario is not None:
        parser.error("argument --count: it counts random drills; use it with --seed N, or alone")
    elif arguments.seed is None:
        arguments.seed = secrets.randbelow(MAX_DRAWN_SEED)


def _natural(text: str) -> int:
    if not text.isdecimal() or (number := int(text)) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number above 0")
    return number


def _drill(arguments: argparse.Namespace) -> int:
    if arguments.list:
        for name, one in DRILLS.items():
            say(f"{name}: {one.summary}")
        for name, client in KNOWN.items():
            say(f"--client {name}: {client.summary}")
        return 0
    started = time.monotonic()
    drills = _series(arguments)
    others = wanted(arguments.client)
    if len(drills) > 1 or arguments.seed is not None:
        _settings(arguments)  # Report a mistake in the settings before any lab is started.
        passed = Series(lambda each: _lab_of(each, arguments), arguments.reports, say, others).run(drills)
    else:
        (drill,) = drills
        with _lab_of(drill, arguments) as lab:
            passed = run_drill(lab, drill, arguments.reports, say, others).passed
    say(f"it took {time.monotonic() - started:.1f} s")
    return 0 if passed else FAILED


def _series(arguments: argparse.Namespace) -> list[Drill]:
    drills = _named(arguments)
    return [swapped(drill) for drill in drills] if arguments.swapped else drills


def _named(arguments: argparse.Namespace) -> list[Drill]:
    if arguments.all:
        return list(DRILLS.values())
    if arguments.seed is None:
        names = [DEFAULT_SCENARIO] if arguments.scenario is None else arguments.scenario
        return [drill_named(name) for name in names]
    return [random_drill(arguments.seed, index) for index in range(1, arguments.count + 1)]


def _lab_of(drill: Drill, arguments: argparse.Namespace) -> Lab:
    """A lab with the drill's settings and those of the command line, which win."""
    settings = _settings(arguments, *(f"{key}={value}" for key, value in drill.configuration.items()))
    return Lab(settings, say, prepared=drill.is_prepared, small_disks=drill.has_small_disks)


def _settings(arguments: argparse.Namespace, *needed: str) -> LabSettings:
    return LabSettings.from_environment(port=0, assignments=(*needed, *arguments.config))


if __name__ == "__main__":
    sys.exit(main())
