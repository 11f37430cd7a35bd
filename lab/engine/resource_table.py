"""How a resource type is made, read, changed and destroyed in the lab's AWS."""

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


EVERY_INPUT = frozenset({"*"})
"""In `Changes`: every input that is not named elsewhere, but for tags."""


@dataclass(frozen=True)
class Changes:
    """How a resource that stands is read and changed, and what cannot be changed. Without any, a change is refused.

    Attributes:
        update: changes it in place and returns the outputs that are new. It is given the id, the inputs that the state
            has and those it is to have.
        updates: the inputs that ``update`` changes.
        state_only: inputs that only a later delete or update reads: AWS is not told.
        replaces: inputs that cannot change: another resource takes its place.
        name: the input with its name in AWS. While it stays the same, the old one has to go before the new one is made.
        tag: gives it the context's tags.
        find: one that is there already, by what the provider imports it by, with those of the program's inputs that it
            looks at; None where there is none. Without it, the type cannot be imported.
        read: the inputs as they are in AWS now, as far as it looks, of those that it is given; None where it is gone.
    """

    update: Callable[[Context, str, Values, Values], Values] | None = None
    updates: frozenset[str] = frozenset()
    state_only: frozenset[str] = frozenset()
    replaces: frozenset[str] = frozenset()
    name: str = "name"
    tag: Callable[[Context, str, Values], None] | None = None
    find: Callable[[Context, str, Values], Made | None] | None = None
    read: Callable[[Context, str, Values], Values | None] | None = None


@dataclass(frozen=True)
class ResourceType:
    """How one type is made, changed and destroyed.

    Attributes:
        create: makes it, waits until it can be used, and returns id and computed outputs.
        delete: deletes it and waits until it is gone; one that is gone already is no error. None where it goes with
            another resource, such as a bucket's versioning.
        inputs: the inputs that ``create`` understands; any other is an error.
        changes: what can be done with one that stands.
    """

    create: Callable[[Context, Values], Created]
    delete: Callable[[Context, Made], None] | None
    inputs: frozenset[str]
    changes: Changes = field(default_factory=Changes)


Types = Mapping[str, ResourceType]
"""Resource types by token, such as ``aws:ec2/vpc:Vpc``."""
