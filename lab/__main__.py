"""The lab's commands: ``python -m lab up`` and ``python -m lab drill`` (``nox -s lab``, ``nox -s drill``)."""

from __future__ import annotations

import argparse
import secrets
import signal
import sys
import threading
import time
from pathlib import Path
from types import FrameType

from lab.aws import AwsDidNotStartError
from lab.drill.random_drills import drawn_scenario
from lab.drill.runner import run_scenario
from lab.drill.scenario import Scenario
from lab.drill.scenarios import DEFAULT_SCENARIO, SCENARIOS, scenario_named
from lab.drill.series import Series
from lab.lab import Lab
from lab.settings import LabSettings
from shared.errors import SettingsError
from shared.layers import REPOSITORY_ROOT
from shared.sites import Site

REPORTS = REPOSITORY_ROOT / "reports"
BAD_INPUT = 2
FAILED = 1
INTERRUPTED = 130
MAX_DRAWN_SEED = 1_000_000


def main() -> int:
    """Run one command.

    Returns:
        0 where it did what was asked, 1 where a drill did not pass, 2 for bad input.
    """
    arguments = _arguments()
    signal.signal(signal.SIGTERM, _as_interrupt)
    try:
        if arguments.command == "up":
            return _up(arguments)
        return _drill(arguments)
    except SettingsError as error:
        sys.stderr.write(f"error: {error}\n")
        return BAD_INPUT
    except AwsDidNotStartError as error:
        sys.stderr.write(f"error: {error}\n")
        return FAILED
    except KeyboardInterrupt:
        sys.stderr.write("stopped; nothing was left behind\n")
        return INTERRUPTED


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="nox -s lab --", description="The lab: break the database on a laptop.")
    commands = parser.add_subparsers(dest="command", required=True)
    up = commands.add_parser("up", help="bring the lab up and stay until Ctrl-C")
    drill = commands.add_parser("drill", help="rehearse a failure and judge it")
    for command in (up, drill):
        command.add_argument(
            "--config",
            action="append",
            default=[],
            metavar="KEY=VALUE",
            help="a setting that wins over Pulumi.lab.yaml",
        )
    up.add_argument("--empty", action="store_true", help="apply no program: deploy with the Pulumi CLI, stack lab")
    what = drill.add_mutually_exclusive_group()
    what.add_argument(
        "--scenario",
        action="append",
        metavar="NAME",
        help=f"what breaks; several times for several drills (default: {DEFAULT_SCENARIO})",
    )
    what.add_argument("--all", action="store_true", help="every scenario, each in a lab of its own")
    what.add_argument("--list", action="store_true", help="name the scenarios and end")
    what.add_argument("--seed", type=_natural, metavar="N", help="random drills: the same seed gives the same ones")
    drill.add_argument("--count", type=_natural, metavar="K", help="how many random drills (default: 1)")
    drill.add_argument("--reports", type=Path, default=REPORTS, help="where the reports go (default: reports/)")
    arguments = parser.parse_args()
    if arguments.command == "drill":
        _complete(arguments, parser)
    return arguments


def _complete(arguments: argparse.Namespace, parser: argparse.ArgumentParser) -> None:
    """``--count`` alone asks for random drills that were never played before; their seed is in the reports."""
    if arguments.count is None:
        arguments.count = 1
    elif arguments.all or arguments.list or arguments.scenario is not None:
        parser.error("argument --count: it counts random drills; give it with --seed N, or alone")
    elif arguments.seed is None:
        arguments.seed = secrets.randbelow(MAX_DRAWN_SEED)


def _natural(text: str) -> int:
    if not text.isdecimal() or (number := int(text)) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number above 0")
    return number


def _as_interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _up(arguments: argparse.Namespace) -> int:
    started = time.monotonic()
    settings = LabSettings.from_environment(assignments=tuple(arguments.config))
    with Lab(settings, _say, empty=arguments.empty) as lab:
        _say(f"the lab is up after {time.monotonic() - started:.1f} s")
        _say("\n".join(access(lab) if arguments.empty else [*access(lab), *directions(lab)]))
        _say("\nCtrl-C takes everything down again.")
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            _say("\ntaking the lab down")
    _say("nothing is left")
    return 0


def access(lab: Lab) -> list[str]:
    """How tools reach the lab's AWS, from another terminal."""
    lines = ["", "In another terminal, for the AWS CLI, any SDK and Pulumi:", ""]
    return lines + [f"  export {name}={value}" for name, value in lab.aws.environment().items()]


def directions(lab: Lab) -> list[str]:
    """How a person reaches the databases and names in the lab."""
    target = lab.target
    host, port = lab.dns_server
    secret = lab.outputs["masterSecretId"]
    lines = ["", "What is deployed is in cfn-outputs/flat-outputs.json. The databases:", ""]
    for site, database in target.databases.items():
        lines.append(
            f"  {site}: psql 'host={database.address} port={target.database_port} dbname={target.database_name} "
            f"user={target.credentials.user} sslmode=require'"
        )
    primary = target.databases[Site.PRIMARY].region
    password = f"aws secretsmanager get-secret-value --region {primary} --secret-id {secret}"
    lines += [
        "",
        "The password:",
        f"  {password} --query SecretString --output text",
        "The writer's name, as Route 53 answers it now:",
        f"  dig @{host} -p {port} {target.writer_name} +short",
    ]
    return lines


def _drill(arguments: argparse.Namespace) -> int:
    if arguments.list:
        for name, one in SCENARIOS.items():
            _say(f"{name}: {one.summary}")
        return 0
    started = time.monotonic()
    scenarios = _series(arguments)
    if len(scenarios) > 1 or arguments.seed is not None:
        _settings(arguments)  # A mistake in them is the person's, before any lab is up.
        passed = Series(lambda each: _lab_of(each, arguments), arguments.reports, _say).run(scenarios)
    else:
        (scenario,) = scenarios
        with _lab_of(scenario, arguments) as lab:
            passed = run_scenario(lab, scenario, arguments.reports, _say).passed
    _say(f"it took {time.monotonic() - started:.1f} s")
    return 0 if passed else FAILED


def _series(arguments: argparse.Namespace) -> list[Scenario]:
    if arguments.all:
        return list(SCENARIOS.values())
    if arguments.seed is None:
        names = [DEFAULT_SCENARIO] if arguments.scenario is None else arguments.scenario
        return [scenario_named(name) for name in names]
    return [drawn_scenario(arguments.seed, index) for index in range(1, arguments.count + 1)]


def _lab_of(scenario: Scenario, arguments: argparse.Namespace) -> Lab:
    """A lab with the settings that the scenario asks for, and those of the person, which win."""
    return Lab(_settings(arguments, *(f"{key}={value}" for key, value in scenario.configuration.items())), _say)


def _settings(arguments: argparse.Namespace, *needed: str) -> LabSettings:
    return LabSettings.from_environment(port=0, assignments=(*needed, *arguments.config))


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
