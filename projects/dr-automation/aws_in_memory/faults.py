"""What can go wrong with one call of a run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from botocore.exceptions import ReadTimeoutError

from aws_in_memory.aws import Call, Fault, TakeEffect
from aws_in_memory.refusals import refusal, silence

Kind = Callable[[TakeEffect], Any]


class Killed(BaseException):
    """The process is gone: nothing of it runs any more."""


def before(happens: Callable[[Call], None]) -> Fault:
    """Something happens before each call; where it raises, the call takes no effect."""

    def fault(call: Call, take_effect: TakeEffect) -> Any:
        happens(call)
        return take_effect()

    return fault


def after(happens: Callable[[Call], None]) -> Fault:
    """Something happens after each call has taken effect; where it raises, that is the answer."""

    def fault(call: Call, take_effect: TakeEffect) -> Any:
        answer = take_effect()
        happens(call)
        return answer

    return fault


def nothing(take_effect: TakeEffect) -> Any:
    return take_effect()


def server_error(take_effect: TakeEffect) -> Any:
    raise refusal("InternalFailure", 500)


def throttled(take_effect: TakeEffect) -> Any:
    raise refusal("Throttling")


def refused(take_effect: TakeEffect) -> Any:
    raise refusal("AccessDenied", 403)


def not_connected(take_effect: TakeEffect) -> Any:
    raise silence()


def lost_answer(take_effect: TakeEffect) -> Any:
    take_effect()
    raise ReadTimeoutError(endpoint_url="endpoint")


def server_error_after_effect(take_effect: TakeEffect) -> Any:
    take_effect()
    raise refusal("InternalFailure", 500)


def lost_answer_retried(take_effect: TakeEffect) -> Any:
    """The SDK asks again, and what answers is the second call."""
    take_effect()
    return take_effect()


def killed_before(take_effect: TakeEffect) -> Any:
    raise Killed


def killed_after(take_effect: TakeEffect) -> Any:
    take_effect()
    raise Killed


FAULTS: tuple[Kind, ...] = (
    server_error,
    throttled,
    refused,
    not_connected,
    lost_answer,
    server_error_after_effect,
    lost_answer_retried,
    killed_before,
    killed_after,
)


def unread_metrics(region: str) -> Callable[[Call, TakeEffect], Any]:
    """CloudWatch throttles every read in a region."""

    def fault(call: Call, take_effect: TakeEffect) -> Any:
        unread = call.operation == "cloudwatch.get_metric_data" and call.region == region
        return throttled(take_effect) if unread else take_effect()

    return fault


class At:
    """A fault at one call.

    Args:
        where: whether this is the call.
        kind: what goes wrong.
        meet: what happens in between, at that very moment: another run, a person's word.
    """

    def __init__(self, where: Callable[[Call], bool], kind: Kind, meet: Callable[[], None] | None = None) -> None:
        self._where, self._kind, self._meet = where, kind, meet
        self._meeting = False
        self.struck: list[Call] = []
        self.killed = False

    def __call__(self, call: Call, take_effect: TakeEffect) -> Any:
        if self._meeting:
            return take_effect()
        if self.killed:
            raise Killed  # the process is gone: not even what it would clean up happens
        if self.struck or not self._where(call):
            return take_effect()
        self.struck.append(call)
        if self._meet is not None:
            self._meeting = True
            try:
                self._meet()
            finally:
                self._meeting = False
        self.killed = self._kind in (killed_before, killed_after)
        return self._kind(take_effect)
