"""The real function code before the AWS that answers at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import boto3
import pytest

from aws_in_memory.aws import Aws
from benchmarks import production
from benchmarks.answered_aws import answer_all, deployed
from benchmarks.failover_alone import carry_out
from failover.settings import Settings
from function_runtime.clients import AwsClients


def variables() -> Mapping[str, str]:
    """The function's environment, as the program declares it for AWS."""
    return production.function("failover").variables


def settings() -> Settings:
    """What the function makes of it."""
    return Settings.from_environment(variables())


@contextmanager
def clients_of(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> Iterator[AwsClients]:
    """Real clients whose bytes go to this AWS."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "not-a-secret")
    before = boto3.DEFAULT_SESSION
    boto3.setup_default_session()
    answer_all(boto3.DEFAULT_SESSION, lambda: aws)
    try:
        yield AwsClients(variables()["RECOVERY_REGION"])
    finally:
        boto3.DEFAULT_SESSION = before


def failed_over(monkeypatch: pytest.MonkeyPatch, promotion_seconds: float) -> Aws:
    """An AWS after a whole failover."""
    aws = deployed(variables(), promotion_seconds)
    with clients_of(aws, monkeypatch) as clients:
        carry_out(clients, settings(), aws)
    return aws
