# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the directories of data and of event queues can be the server's. Pure.

Private to the collection gen3.uploads.
"""
from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

UNSUITABLE = ("cifs", "fuse", "nfs", "smb2")
"""File systems, as ``stat --file-system`` names them, on which MinIO loses data or does not start."""

BLOCK = 4096
"""Bytes that an event takes on the disk."""


@dataclass(frozen=True)
class Reading:
    """What the role has read of a directory, or of the nearest one above it that is there.

    ``owner`` is empty where it is empty or not there. ``free_inodes`` is None where the file system makes them as it needs them.
    """

    path: str
    owner: str
    events: int
    free_bytes: int
    free_inodes: int | None
    file_system: str


def reading(path: str, lines: Sequence[str]) -> Reading:
    """Return what three lines tell: the owner; an x for each event; free blocks, their size, free inodes, all inodes, file system."""
    free_blocks, size, free_inodes, inodes, file_system = lines[2].split()
    return Reading(path, lines[0], len(lines[1]), int(free_blocks) * int(size), int(free_inodes) if inodes != "0" else None, file_system)


def problems(readings: Sequence[Mapping[str, Any]], user: str, targets: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return why the directories cannot be used, a sentence for each finding.

    ``readings`` are the results of the role's task, with the directory as ``item`` and the lines of ``reading`` as ``stdout_lines``; the
    first is that of the data. ``user`` is the account of the service, ``targets`` what ``targets.render`` returns.
    """
    found = [reading(each["item"], each["stdout_lines"]) for each in readings]
    return [*(sentence for each in found for sentence in _unusable(each, user)),
            *(sentence for each in found[1:] for sentence in _too_small(each, targets))]


def _unusable(directory: Reading, user: str) -> Iterator[str]:
    if directory.owner not in ("", user):
        yield (f"{directory.path} is not empty and belongs to {directory.owner}. The role would give it to {user}: use a directory of its own "
               "below it, or change its owner first.")
    if directory.file_system in UNSUITABLE:
        yield f"{directory.path} is on {directory.file_system}. MinIO needs a file system of the node itself, best XFS."


def _too_small(directory: Reading, targets: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    growth = sum(target["queue_limit"] for target in targets if target["queue_dir"] == directory.path) - directory.events
    if growth * BLOCK > directory.free_bytes or (directory.free_inodes is not None and growth > directory.free_inodes):
        inodes = "" if directory.free_inodes is None else f" and {directory.free_inodes} inodes"
        yield (f"The event queues in {directory.path} may grow by {growth} files of 4 KiB, and the file system has {directory.free_bytes} "
               f"bytes{inodes} free. Lower minio_queue_limit or the targets' own queue_limit, or give the queues a larger file system.")
