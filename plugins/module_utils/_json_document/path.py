# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Paths into a JSON document: ``JOBS[name=indexing].imageConfig.password``.

Private to the collection gen3.uploads.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Union

KEY = r"([^.\[\]]+)"
ELEMENT = r"\[([^=\[\]]+)=([^\[\]]*)\]"
PATH = re.compile(rf"{KEY}(\.{KEY}|{ELEMENT})*")


@dataclass(frozen=True)
class Element:
    """The step to the element of a list of objects whose ``key`` has the given ``value``."""

    key: str
    value: str

    def __str__(self) -> str:
        return f"[{self.key}={self.value}]"


Step = Union[str, Element]


def parse_path(path: str | Sequence[Any]) -> tuple[Step, ...]:
    """Return the steps of a path: names of an object's keys, and elements of a list.

    A path is a string such as ``JOBS[name=indexing].imageConfig``, or a list of steps for keys that contain a dot or
    a bracket: ``["JOBS", {"name": "indexing"}, "imageConfig"]``. Raises ValueError where it is neither.
    """
    if isinstance(path, str):
        if not PATH.fullmatch(path):
            raise ValueError(f"{path!r} is not a path such as JOBS[name=indexing].imageConfig")
        steps = [key or Element(name, value) for key, name, value in re.findall(f"{KEY}|{ELEMENT}", path)]
    elif isinstance(path, (list, tuple)) and path:
        steps = [_step(step, path) for step in path]
    else:
        raise ValueError(f"{path!r} is neither a path nor a list of its steps")
    return tuple(steps)


def _step(step: Any, path: Sequence[Any]) -> Step:
    if isinstance(step, Mapping) and len(step) == 1:
        ((key, value),) = step.items()
        return Element(str(key), str(value))
    if isinstance(step, (str, int)):
        return str(step)
    raise ValueError(f"{step!r} in the path {list(path)!r} is neither a key nor a mapping of one key to one value")


def format_path(steps: Sequence[Step]) -> str:
    """Write a path the way ``parse_path`` reads it."""
    text = "".join(f".{step}" if isinstance(step, str) else str(step) for step in steps)
    return text.removeprefix(".")
