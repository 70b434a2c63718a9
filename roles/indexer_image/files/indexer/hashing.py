# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All hashes of a stream at once, a thread for each: while one computes, it lets the others run."""
from __future__ import annotations

import hashlib
import queue
import threading
from collections.abc import Callable, Iterable

import google_crc32c

ALGORITHMS: dict[str, Callable] = {
    "md5": hashlib.md5, "sha1": hashlib.sha1, "sha256": hashlib.sha256, "sha512": hashlib.sha512,
    "crc": google_crc32c.Checksum,
}
"""indexd's name of a hash -> what computes it; ``crc`` is CRC-32C."""
LONGEST_LAG = 2
"""How many chunks a hash may be behind the reader."""


class _Hasher(threading.Thread):
    """Computes one hash of the chunks put into its queue; None ends them."""

    def __init__(self, algorithm: Callable):
        super().__init__(daemon=True)
        self.chunks: queue.Queue[bytes | None] = queue.Queue(LONGEST_LAG)
        self._hash = algorithm()
        self._failure: Exception | None = None

    def run(self) -> None:
        while (chunk := self.chunks.get()) is not None:
            if self._failure is None:  # else only make room, for the reader not to wait for ever
                try:
                    self._hash.update(chunk)
                except Exception as error:
                    self._failure = error
            del chunk  # not to be kept while waiting for the next

    def result(self) -> str:
        """Return the hash in lower-case hexadecimal, once all chunks are through."""
        self.chunks.put(None)
        self.join()
        if self._failure:
            raise self._failure
        return self._hash.digest().hex()


def hash_chunks(chunks: Iterable[bytes]) -> tuple[int, dict[str, str]]:
    """Return the number of bytes and the hashes that indexd keeps."""
    hashers = {name: _Hasher(algorithm) for name, algorithm in ALGORITHMS.items()}
    for hasher in hashers.values():
        hasher.start()
    size = 0
    try:
        for chunk in chunks:
            size += len(chunk)
            for hasher in hashers.values():
                hasher.chunks.put(chunk)
    except BaseException:
        for hasher in hashers.values():
            hasher.chunks.put(None)
        raise
    return size, {name: hasher.result() for name, hasher in hashers.items()}
