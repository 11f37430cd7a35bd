"""The automation as its program declares it for AWS: benchmarks of our own code run with that, not the lab's timings.

The stack is ``dev``, which sets no timing: what holds there is the program's defaults, as in production.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from zipfile import ZipFile

import pulumi

from lab.engine import RecordedProgram, run_recorded
from shared.sites import Site

STACK = "dev"
SECONDS_OF_UNIT = {"minute": 60, "minutes": 60, "second": 1, "seconds": 1}


@dataclass(frozen=True)
class DeployedFunction:
    """One function as it would be deployed.

    Attributes:
        name: the function's name.
        handler: ``package.module.function``.
        variables: its environment.
        artifact: the archive with its code.
        memory_mb: its memory, which is also its share of a CPU.
    """

    name: str
    handler: str
    variables: Mapping[str, str]
    artifact: Path
    memory_mb: int


@dataclass(frozen=True)
class TriggerAlarm:
    """The alarm that wakes the failover: so many periods without an answer."""

    period_seconds: int
    periods: int


def functions() -> tuple[DeployedFunction, ...]:
    """Every function of the layer, by name."""
    found = []
    for resource in _program().of_type("Function"):
        code = resource.inputs["code"]
        found.append(
            DeployedFunction(
                name=resource.name,
                handler=str(resource.inputs["handler"]),
                variables={key: str(value) for key, value in resource.inputs["environment"]["variables"].items()},
                memory_mb=int(resource.inputs["memorySize"]),
                artifact=Path(str(code.path if isinstance(code, pulumi.FileArchive) else code)),
            )
        )
    return tuple(sorted(found, key=lambda function: function.name))


def handlers() -> tuple[DeployedFunction, ...]:
    """One function for each handler: the sites' copies of one differ in their settings only."""
    return tuple({function.handler: function for function in reversed(functions())}.values())[::-1]


def function(package: str, site: Site = Site.RECOVERY) -> DeployedFunction:
    """The function of a site that has its handler in a package; by default where the authority lies at first.

    Raises:
        LookupError: no function has its handler there.
    """
    for each in functions():
        if each.handler.startswith(f"{package}.") and each.variables["SITE"] == site:
            return each
    raise LookupError(f"no function of the {site} site has its handler in package {package}")


@contextmanager
def unpacked(deployed: DeployedFunction) -> Iterator[Path]:
    """A function's archive in a folder of its own, as Lambda lays it out."""
    with tempfile.TemporaryDirectory(prefix="function-") as folder:
        with ZipFile(deployed.artifact) as archive:
            archive.extractall(folder)
        yield Path(folder)


def schedule_seconds() -> int:
    """From one run of the functions to the next."""
    rule = _program().resource(function("failover").name, "EventRule")
    number, unit = str(rule.inputs["scheduleExpression"]).removeprefix("rate(").removesuffix(")").split()
    return int(number) * SECONDS_OF_UNIT[unit]


def trigger_alarm() -> TriggerAlarm:
    """The alarm on the primary's silence."""
    inputs = _program().resource(f"primary-unreachable-recovery-{STACK}", "MetricAlarm").inputs
    return TriggerAlarm(int(inputs["period"]), int(inputs["evaluationPeriods"]))


@cache
def _program() -> RecordedProgram:
    below = {"network": run_recorded("network", stack=STACK).outputs}
    below["data"] = run_recorded("data", stack=STACK, below=below).outputs
    return run_recorded("dr-automation", stack=STACK, below=below)
