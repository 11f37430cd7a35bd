"""The one thread in which the endpoints of all databases run."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

T = TypeVar("T")


class ForwarderLoop:
    """The one thread in which all forwarders run."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        # Who is admitted may have to be asked of EC2, and of a server who logs in with a token.
        self._admissions = ThreadPoolExecutor(max_workers=8, thread_name_prefix="forwarder-admission")
        self._loop.set_default_executor(self._admissions)
        self._thread = threading.Thread(target=self._loop.run_forever, name="forwarders", daemon=True)
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, T], timeout_seconds: float = 10.0) -> T:
        """Run a coroutine in the loop and wait for it, from any other thread."""
        future: Future[T] = asyncio.run_coroutine_threadsafe(work, self._loop)
        return future.result(timeout_seconds)

    def close(self) -> None:
        """Stop the thread. Close the forwarders first."""
        if self._loop.is_closed():
            return
        self.run(_end_other_tasks())
        self._admissions.shutdown(wait=False, cancel_futures=True)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()


async def _end_other_tasks() -> None:
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
