# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults on demand: which of the operator's API calls fail, and how; read from a file before each call."""
from __future__ import annotations

import json
import random
import threading
from pathlib import Path

OPERATOR_KEY = "AKIALABOPERATOR00001"
"""AWS access key id of who runs the playbooks; faults strike only this one."""

THROTTLED = "throttled"
UNAVAILABLE = "unavailable"
ANSWER_LOST = "answer lost"
"""The first two are refused and have no effect; the last is carried out, but its caller gets an error."""


class Faults:
    """The faults of one API (``aws`` or ``kubernetes``).

    The file holds ``{"aws": {"rate": 0.2, "kinds": ["throttled"], "seed": 1}}``: that share of calls fails, in one of
    the given ways, by a random sequence that the seed determines. No file, or no entry: no fault.
    """

    def __init__(self, file: Path, api: str):
        self._file = file
        self._api = api
        self._lock = threading.Lock()
        self._settings: dict | None = None
        self._random = random.Random()

    def next(self) -> str | None:
        """Return how the next call fails, None when it does not."""
        with self._lock:
            try:
                settings = json.loads(self._file.read_text()).get(self._api)
            except FileNotFoundError:
                settings = None
            if settings != self._settings:
                self._settings = settings
                self._random = random.Random(settings["seed"] if settings else 0)
            if not settings or self._random.random() >= settings["rate"]:
                return None
            return self._random.choice(settings["kinds"])
