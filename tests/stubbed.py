"""Clients of AWS that answer what a test says, without a network."""

from __future__ import annotations

from typing import Any

import boto3
from botocore.stub import Stubber


class Stubbed(Stubber):
    """The stubber of a client, which is its ``client``."""

    client: Any


def stubbed(service: str, region: str) -> Stubbed:
    """A new client without a network, and what it answers."""
    make: Any = boto3.client
    stubber = Stubbed(make(service, region_name=region, aws_access_key_id="none", aws_secret_access_key="none"))
    stubber.activate()
    return stubber
