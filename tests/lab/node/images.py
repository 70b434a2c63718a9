# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which local program stands for which image."""
from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from fnmatch import fnmatch

SHELL = "lab/shell"
"""An image with nothing in it but the local machine: it runs the container's own command."""


class NoImage(Exception):
    """The image cannot be pulled."""


def command_of(image: str, own_command: Sequence[str], dispatcher_command: str | None) -> list[str]:
    """Return the command line of a container; raises NoImage for an image that the lab does not have."""
    entrypoints = {
        "*/ssjdispatcher:*": shlex.split(dispatcher_command or "") or [sys.executable, "-m", "lab.dispatcher"],
        "*/indexs3client:*": [sys.executable, "-m", "lab.indexer"],
        f"{SHELL}*": [],
    }
    for pattern, entrypoint in entrypoints.items():
        if fnmatch(image, pattern):
            return list(own_command) or entrypoint
    raise NoImage(f'Failed to pull image "{image}": the lab has no such image')
