"""A few threads that predict, a bounded queue before them, and a time limit on every answer."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from core.serving.problems import ProblemError

T = TypeVar("T")


class Workers:
    """Runs blocking calls beside the event loop, never more at once than it has threads."""

    def __init__(self, threads: int, waiting: int, seconds: float) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="predict")
        self._places = threading.BoundedSemaphore(threads + waiting)
        self._seconds = seconds

    async def run(self, call: Callable[[], T]) -> T:
        """The result of a call made on a thread.

        Raises:
            ProblemError: 503 when too many calls wait already; 504 when the time is over. A call
                that already runs then keeps its thread until it ends: threads cannot be stopped.
        """
        if not self._places.acquire(blocking=False):
            raise ProblemError(
                503,
                "Too many requests are waiting",
                "Try again in a second",
                headers={"Retry-After": "1"},
            )
        # The exception travels as a value: one that arrives after the time is over would be logged
        # by asyncio with its message, which may hold input values.
        future = self._pool.submit(_caught, call)
        future.add_done_callback(lambda _: self._places.release())
        try:
            result, error = await asyncio.wait_for(asyncio.wrap_future(future), self._seconds)
        except TimeoutError:
            raise ProblemError(
                504,
                f"No answer within {self._seconds:g} seconds",
                "Send fewer inputs in one request",
            ) from None
        if error is not None:
            raise error
        return result[0]

    def busy(self) -> bool:
        """Whether a call would be turned away now."""
        free = self._places.acquire(blocking=False)
        if free:
            self._places.release()
        return not free

    def close(self) -> None:
        """Take no more calls, and drop those that wait."""
        self._pool.shutdown(wait=False, cancel_futures=True)


def _caught(call: Callable[[], T]) -> tuple[list[T], Exception | None]:
    """The result in a list, or the exception."""
    try:
        return [call()], None
    except Exception as error:
        return [], error
