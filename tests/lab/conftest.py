"""The lab's AWS and RDS that the tests of one module share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.lab.running_aws import Account, running_account
from tests.lab.running_rds import RunningRds, running_rds


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    with running_account(tmp_path_factory.mktemp("lab")) as account:
        yield account


@pytest.fixture(scope="module")
def rds() -> Iterator[RunningRds]:
    """A database and its replica in the other region."""
    with running_rds() as rds:
        rds.create("orders")
        rds.create_replica("orders-replica", "orders")
        yield rds
