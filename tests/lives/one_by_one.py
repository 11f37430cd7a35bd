"""Calls one after the other instead of in threads: the same life is the same every time, and costs half."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest.mock import patch

from deployment import state_tables
from failover import last_look, observe
from operations import restorable


class OneByOne(Executor):
    """Does at once what it is given."""

    def __init__(self, **_: Any) -> None:
        """Without threads."""

    def submit(self, fn: Callable[..., Any], /, *given: Any, **named: Any) -> Future[Any]:
        done: Future[Any] = Future()
        try:
            done.set_result(fn(*given, **named))
        except Exception as error:  # noqa: BLE001 - whatever it is, who asks for the result gets it
            done.set_exception(error)
        return done


@contextmanager
def one_by_one() -> Iterator[None]:
    """In everything that has threads."""
    with ExitStack() as patched:
        for module in (state_tables, last_look, observe, restorable):
            patched.enter_context(patch.object(module, "ThreadPoolExecutor", OneByOne))
        yield
