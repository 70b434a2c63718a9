# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which local program stands for which image."""
from __future__ import annotations

import shlex
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path

from lab.state import State

DISPATCHER = "*/ssjdispatcher:*"
SHELL = "lab/shell"
"""An image with nothing in it but the local machine: it runs the container's own command."""
INDEXER_SOURCES = Path(__file__).resolve().parents[3] / "roles" / "indexer_image" / "files"


class NoImage(Exception):
    """The image cannot be pulled."""


@dataclass(frozen=True)
class Image:
    """What an image brings along: its entrypoint, and variables that the pod's own override."""

    entrypoint: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)


def image_of(name: str, state: State) -> Image:
    """Return the image of that name; raises NoImage for one that the lab does not have."""
    run = [sys.executable, "-m"]
    images = {
        DISPATCHER: Image(shlex.split(state.settings["dispatcher_command"] or "") or [*run, "lab.dispatcher"]),
        "*/indexs3client:*": Image(shlex.split(state.settings["indexer_command"] or "") or [*run, "lab.indexer"]),
        "*/gen3-indexer:*": Image([*run, "indexer"], {"PYTHONPATH": str(INDEXER_SOURCES)}),
        "*/bento@sha256:*": Image([*run, "lab.bridge", str(state.bento_file)]),
        f"{SHELL}*": Image([]),
    }
    for pattern, image in images.items():
        if fnmatch(name, pattern):
            return image
    raise NoImage(f'Failed to pull image "{name}": the lab has no such image')
