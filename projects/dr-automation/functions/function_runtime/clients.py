"""Clients of AWS's services, made when first needed and kept for the life of the process."""

from __future__ import annotations

import threading
from typing import Any, Protocol

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from function_runtime.readings import Unanswered

# A failover stands or falls with its own region: throttling and hiccups there are retried, with jittered backoff.
# https://docs.aws.amazon.com/boto3/latest/guide/retries.html
AT_HOME = Config(connect_timeout=2, read_timeout=4, retries={"total_max_attempts": 4, "mode": "standard"})
# A dark region answers with silence, and a failover must not spend its minutes waiting for it: the next run asks again.
ABROAD = Config(connect_timeout=2, read_timeout=4, retries={"total_max_attempts": 1, "mode": "standard"})
# A probe that is asked for directly answers when it is done: the one warm environment is busy for most of each minute,
# so this one starts cold, in a VPC, and then waits for a database that may be silent. It is not asked twice.
PROBE_ANSWERS_SECONDS = 10
PROBING = Config(
    connect_timeout=2, read_timeout=PROBE_ANSWERS_SECONDS, retries={"total_max_attempts": 1, "mode": "standard"}
)
FIRST_SERVER_ERROR = 500
# https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html
THROTTLED = frozenset(
    {
        "BandwidthLimitExceeded",
        "LimitExceededException",
        "PriorRequestNotComplete",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "SlowDown",
        "Throttling",
        "ThrottledException",
        "ThrottlingException",
        "TooManyRequestsException",
        "TransactionInProgressException",
    }
)

AwsError = (ClientError, BotoCoreError)


class Clients(Protocol):
    """Where clients come from."""

    def of(self, service: str, region: str) -> Any:
        """The client of a service in a region."""


class AwsClients:
    """Real clients. Safe to share between threads.

    Args:
        home: the function's own region.
    """

    def __init__(self, home: str) -> None:
        self._home = home
        self._lock = threading.Lock()
        self._made: dict[tuple[str, str], Any] = {}

    def of(self, service: str, region: str) -> Any:
        """The client of a service in a region; boto3's default session must not make two at the same time."""
        with self._lock:
            key = (service, region)
            if key not in self._made:
                factory: Any = boto3.client
                at_home = AT_HOME if region == self._home else ABROAD
                # The one function that these clients invoke is the probe.
                config = PROBING if service == "lambda" else at_home
                self._made[key] = factory(service, region_name=region, config=config)
            return self._made[key]


def code_of(error: ClientError) -> str:
    """The error's code, in AWS's words."""
    return str(error.response["Error"]["Code"])


def unanswered(error: ClientError | BotoCoreError) -> Unanswered:
    """What an error says about the service: a refusal comes from a service that lives; a 5xx or silence does not."""
    if not isinstance(error, ClientError):
        return Unanswered(str(error), service_answered=False)
    metadata = error.response.get("ResponseMetadata", {})
    status = metadata.get("HTTPStatusCode", 400)
    return Unanswered(str(error), service_answered=status < FIRST_SERVER_ERROR)


def may_pass(error: ClientError | BotoCoreError) -> bool:
    """Whether the same call may be answered in a moment: throttling, a server's error, silence. A refusal will not."""
    return (isinstance(error, ClientError) and code_of(error) in THROTTLED) or not unanswered(error).service_answered
