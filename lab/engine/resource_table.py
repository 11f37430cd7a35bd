"""How a resource type is made and destroyed in the lab's AWS."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from lab.engine.registration import Created, Values

ClientFactory = Callable[[str, str], Any]
"""Makes a boto3 client of a service in a region."""


@dataclass(frozen=True)
class Context:
    """What making one resource needs.

    Attributes:
        region: the region of the resource's provider.
        account_id: the lab's account.
        client_in: a client of a service in any region.
        tags: the resource's tags over the provider's default tags.
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
    """A resource that was made, for destroying it."""

    id: str
    inputs: Values
    outputs: Values


@dataclass(frozen=True)
class ResourceType:
    """How one type is made and destroyed.

    Attributes:
        create: makes it, waits until it can be used, and returns id and computed outputs.
        delete: deletes it and waits until it is gone; one that is gone already is no error. None where it goes with
            another resource, such as a bucket's versioning.
        inputs: the inputs that ``create`` understands; any other is an error.
    """

    create: Callable[[Context, Values], Created]
    delete: Callable[[Context, Made], None] | None
    inputs: frozenset[str]


Types = Mapping[str, ResourceType]
"""Resource types by token, such as ``aws:ec2/vpc:Vpc``."""
