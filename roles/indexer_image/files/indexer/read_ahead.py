# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading the next ranges of something while the last one is being worked on."""
from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

RANGE = 4 << 20
IN_FLIGHT = 3
"""Never more than this many ranges, and the one being worked on, are in memory."""


def read_ahead(read: Callable[[int, int], list[bytes]], size: int) -> Iterator[bytes]:
    """Yield ``size`` bytes in order. ``read(start, end)`` returns a range's chunks, and is called from several threads."""
    readers = ThreadPoolExecutor(IN_FLIGHT, thread_name_prefix="reader")
    pending: deque[Future[list[bytes]]] = deque()
    try:
        for start in range(0, size, RANGE):
            pending.append(readers.submit(read, start, min(start + RANGE, size)))
            if len(pending) > IN_FLIGHT:
                yield from _chunks(pending.popleft())
        while pending:
            yield from _chunks(pending.popleft())
    finally:
        readers.shutdown(wait=False, cancel_futures=True)


def _chunks(future: Future[list[bytes]]) -> Iterator[bytes]:
    """Yield the chunks of a range that was read, and let go of each."""
    chunks = future.result()
    del future
    chunks.reverse()
    while chunks:
        yield chunks.pop()
