"""The table of resource types: how each is made and unmade in the lab's AWS through boto3."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from lab.engine.registration import Created, Values

ClientFactory = Callable[[str, str], Any]
"""Makes a boto3 client of a service in a region."""


@dataclass(frozen=True)
class Context:
    """What the making of one resource may use.

    Attributes:
        region: the region of the resource's provider.
        account_id: the lab's account.
        client_in: a client of a service in any region.
        tags: the provider's default tags and the resource's own over them, as they go to AWS.
    """

    region: str
    account_id: str
    client_in: ClientFactory
    tags: Mapping[str, str] = field(default_factory=dict)

    def client(self, service: str) -> Any:
        """A client of the service in the resource's region."""
        return self.client_in(service, self.region)


@dataclass(frozen=True)
class Made:
    """A resource that was made, as destroying it needs to know it."""

    id: str
    inputs: Values
    outputs: Values


@dataclass(frozen=True)
class ResourceType:
    """How one type is made and unmade.

    Attributes:
        create: makes it, waits until it can be used, and answers id and computed outputs.
        delete: unmakes it and waits until it is gone; one that is gone already is no error. None where it ends with
            another resource (an attribute of a bucket, say).
        inputs: the inputs that ``create`` understands; any other is an error, nothing is dropped in silence.
    """

    create: Callable[[Context, Values], Created]
    delete: Callable[[Context, Made], None] | None
    inputs: frozenset[str]


Types = Mapping[str, ResourceType]
"""Resource types by token, such as ``aws:ec2/vpc:Vpc``."""
