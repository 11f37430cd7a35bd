"""The lab's AWS and RDS that the tests of one module share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from lab.postgres import NoSmallDiskError, require_small_disks
from tests.lab.running_aws import Account, running_account
from tests.lab.running_rds import RunningRds, lab_home, running_rds


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


@pytest.fixture
def disks() -> None:
    """What needs a small disk is skipped where none can be made."""
    with lab_home() as home:
        try:
            require_small_disks(home.path)
        except NoSmallDiskError as error:
            pytest.skip(str(error))
