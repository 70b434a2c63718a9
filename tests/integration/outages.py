"""Faults at random moments."""

from __future__ import annotations

import os
import random
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

TIMES = 5
"""How often each part fails."""
SEED = os.environ.get("GEN3_SEED") or str(random.randrange(10**6))
"""By which the moments can be had again."""


def chance(what: str) -> random.Random:
    """Return the run's own chance for something."""
    return random.Random(f"{what} {SEED}")


def at_random_moments(seconds: float, *strikes: Callable[[], None]) -> None:
    """Call each of these TIMES times within that time, beside each other; the first that raises ends all."""
    begun, failed = time.monotonic(), threading.Event()
    print(f"GEN3_SEED={SEED}")

    def repeat(strike: Callable[[], None], moments: random.Random) -> None:
        for number in range(TIMES):
            moment = begun + seconds * (number + moments.random()) / TIMES
            if failed.wait(max(0.0, moment - time.monotonic())):
                return
            try:
                strike()
            except BaseException:
                failed.set()
                raise

    with ThreadPoolExecutor(len(strikes)) as pool:
        for done in [pool.submit(repeat, strike, chance(f"moments {number}")) for number, strike in enumerate(strikes)]:
            done.result()
