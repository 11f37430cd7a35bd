"""What the measurements of our own code rest on: a whole failover happens before the AWS that answers at once."""

from __future__ import annotations

import pytest

from benchmarks.answered_aws import deployed
from benchmarks.failover_alone import carry_out
from tests.benchmarks.answered import clients_of, failed_over, settings, variables


def test_a_failover_goes_through_all_its_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    aws = failed_over(monkeypatch, promotion_seconds=120)
    assert aws.events == ["quarantined", "rebooted", "promoted"]
    assert aws.latch[-1] == 2


def test_a_longer_promotion_is_looked_at_more_often(monkeypatch: pytest.MonkeyPatch) -> None:
    quick, slow = (failed_over(monkeypatch, promotion_seconds=seconds).called for seconds in (120, 600))
    assert slow.count("rds.describe_db_instances") > 2 * quick.count("rds.describe_db_instances")


def test_a_living_writer_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    aws = deployed(variables(), promotion_seconds=0, primary_dies=False)
    with clients_of(aws, monkeypatch) as clients:
        assert carry_out(clients, settings(), aws) == 1
    assert (aws.latch, aws.events) == ([0], [])
