"""What a deploy of this layer checks in the account before it touches anything, with boto3 and read-only.

A new health check starts healthy, whatever it is told to do without data, and so sends the writer's name to the primary
site's database. While that is the writer, nothing is wrong with it; afterwards, no check may be made anew.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from shared.errors import SettingsError
from shared.layers import layer
from shared.providers import GLOBAL_SITE
from shared.sites import Site
from shared.stack_files import load_configuration

if TYPE_CHECKING:
    from mypy_boto3_route53 import Route53Client

    from automation_layer.settings import AutomationSettings

CONFIG = Config(connect_timeout=5, read_timeout=10, retries={"total_max_attempts": 3, "mode": "standard"})
WRITER_CHECK = "writerHealthCheckId"
READER_CHECK = "readerHealthCheckId"
REMEDY = (
    "a deploy makes it anew, a new one starts healthy, and clients would be sent to the primary site's database, which "
    "is not the writer. Make that the writer first: ./dr failover -- --planned, then ./dr reprotect"
)


def check(settings: AutomationSettings, deployed: Mapping[str, object]) -> None:
    """Refuse a deploy that would make a health check anew while the recovery site's database is the writer.

    Args:
        settings: the layer's settings.
        deployed: the outputs of its stack, empty where it is not deployed: then no client knows the name yet.

    Raises:
        SettingsError: it would, or Route 53 does not say.
    """
    environment = settings.environment
    if active_site(environment.stack) is Site.PRIMARY or WRITER_CHECK not in deployed:
        return
    if READER_CHECK not in deployed:
        raise SettingsError(
            WRITER_CHECK, deployed[WRITER_CHECK], f"this version has another health check in its place: {REMEDY}"
        )
    client = boto3.client("route53", region_name=environment.regions[GLOBAL_SITE], config=CONFIG)
    try:
        for key in (WRITER_CHECK, READER_CHECK):
            refuse_missing(client, key, str(deployed[key]))
    except (BotoCoreError, ClientError) as error:
        raise SettingsError(
            "AWS", f"({type(error).__name__})", f"give credentials and a network that reach Route 53: {error}"
        ) from error


def active_site(stack: str) -> Site:
    """The site whose database is the writer, as the data layer of that stack is configured."""
    data = layer("data")
    values = load_configuration(data.folder, stack).values
    return Site(values.get(f"{data.project}:activeSite", Site.PRIMARY))


def refuse_missing(client: Route53Client, key: str, identifier: str) -> None:
    """Refuse where a deployed health check or one that it counts is gone.

    Args:
        client: Route 53.
        key: the output that names the check.
        identifier: its id.

    Raises:
        SettingsError: it is gone.
        ClientError: it may not be looked at.
    """
    for child in _children(client, key, identifier):
        _children(client, key, child)


def _children(client: Route53Client, key: str, identifier: str) -> Sequence[str]:
    try:
        found = client.get_health_check(HealthCheckId=identifier)["HealthCheck"]
    except client.exceptions.NoSuchHealthCheck as error:
        raise SettingsError(key, identifier, f"Route 53 has no such health check any more: {REMEDY}") from error
    return found["HealthCheckConfig"].get("ChildHealthChecks", [])
