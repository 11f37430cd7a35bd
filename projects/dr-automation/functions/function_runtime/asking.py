"""Ask services, and take a refusal or silence for a reading, not for an exception."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

from function_runtime.clients import AwsError, Clients, unanswered
from function_runtime.readings import RegionAnswers, Unanswered

Reading = TypeVar("Reading")


def asked(question: Callable[[], Reading]) -> Reading | Unanswered:
    """The answer, or why there is none."""
    try:
        return question()
    except AwsError as error:
        return unanswered(error)


def identified(clients: Clients, region: str) -> None:
    """Ask a region's STS: it needs no permission, and neither the database nor the metrics depend on it."""
    clients.of("sts", region).get_caller_identity()


def region_answers(by_service: Mapping[str, object]) -> RegionAnswers:
    """Which services answered, be it with a refusal.

    Args:
        by_service: what `asked` returned, by the service's name.
    """
    silent = tuple(
        service
        for service, answer in by_service.items()
        if isinstance(answer, Unanswered) and not answer.service_answered
    )
    return RegionAnswers(tuple(service for service in by_service if service not in silent), silent)
