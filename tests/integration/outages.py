"""Faults at random moments."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

TIMES = 5
"""How often each part fails."""


def at_random_moments(seconds: float, *strikes: Callable[[], None]) -> None:
    """Call each of these TIMES times within that time, beside each other; the first that raises ends all."""
    begun, failed = time.monotonic(), threading.Event()

    def repeat(strike: Callable[[], None]) -> None:
        for number in range(TIMES):
            moment = begun + seconds * (number + random.random()) / TIMES
            if failed.wait(max(0.0, moment - time.monotonic())):
                return
            try:
                strike()
            except BaseException:
                failed.set()
                raise

    with ThreadPoolExecutor(len(strikes)) as pool:
        for done in [pool.submit(repeat, strike) for strike in strikes]:
            done.result()
