"""What a command is about to do, and where: printed before anything changes."""

from __future__ import annotations

from deployment.arguments import Request
from deployment.preflight import Cleared
from deployment.pulumi_cli import Backend
from shared.environment import Environment, Kind


def announcement(request: Request, cleared: Cleared, backend: Backend) -> list[str]:
    """Lines for a person. Warnings come first."""
    environment = cleared.environment
    return [
        *(f"WARNING: {warning}" for warning in cleared.warnings),
        f"{request.command} of stack {request.stack}",
        f"  environment  {_kind(environment)}, account {environment.account_id}, suffix {environment.suffix}",
        f"  regions      {_regions(environment)}",
        f"  layers       {', '.join(chosen.name for chosen in request.layers)}",
        f"  backend      {backend.url} as {backend.user}",
    ]


def _kind(environment: Environment) -> str:
    name = environment.kind.upper() if environment.kind is Kind.PRODUCTION else str(environment.kind)
    return f"{name}, protected" if environment.protected else name


def _regions(environment: Environment) -> str:
    regions = [f"{region} ({site})" for site, region in environment.regions.items()]
    if environment.witness_region is not None:
        regions.append(f"{environment.witness_region} (witness)")
    return ", ".join(regions)
