# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading the next ranges of something while the last one is being worked on."""
from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue

RANGE = 8 << 20
IN_FLIGHT = 3
"""Never more than this many ranges are in memory."""


def read_ahead(read: Callable[[int, int], Iterator[bytes]], size: int) -> Iterator[bytes]:
    """Yield ``size`` bytes in order. ``read(start, end)`` yields those of a range, and is called from several threads."""
    readers = ThreadPoolExecutor(IN_FLIGHT, thread_name_prefix="reader")
    pending: deque[SimpleQueue[bytes | BaseException | None]] = deque()
    try:
        for start in range(0, size, RANGE):
            pending.append(SimpleQueue())
            readers.submit(_fill, pending[-1], read, start, min(start + RANGE, size))
            if len(pending) == IN_FLIGHT:
                yield from _empty(pending.popleft())
        while pending:
            yield from _empty(pending.popleft())
    finally:
        readers.shutdown(wait=False, cancel_futures=True)


def _fill(chunks: SimpleQueue, read: Callable[[int, int], Iterator[bytes]], start: int, end: int) -> None:
    """Put a range's chunks into its queue, and at the end None, or what went wrong."""
    try:
        for chunk in read(start, end):
            chunks.put(chunk)
            del chunk  # not to be kept while waiting for the next
        chunks.put(None)
    except BaseException as error:
        chunks.put(error)


def _empty(chunks: SimpleQueue) -> Iterator[bytes]:
    """Yield a range's chunks as they come."""
    while (chunk := chunks.get()) is not None:
        if isinstance(chunk, BaseException):
            raise chunk
        yield chunk
