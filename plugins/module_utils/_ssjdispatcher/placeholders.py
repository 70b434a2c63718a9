# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The values that gen3-helm's chart puts where its user has set none: nobody wants them, and they are good for nothing. Pure.

Source: gen3-helm ``helm/ssjdispatcher/values.yaml``, ``ssjcreds``.

Private to the collection gen3.uploads.
"""
from __future__ import annotations

import re

PASSWORD = "replace_with_password"

QUEUE_URL = re.compile(r"https?://[^/]+/12345678901234/[^/]*")
"""An account number has 12 digits, and this one 14."""


def is_password(value: object) -> bool:
    """Tell whether a password is the chart's."""
    return value == PASSWORD


def is_queue_url(value: object) -> bool:
    """Tell whether the URL of the queue is the chart's."""
    return isinstance(value, str) and QUEUE_URL.fullmatch(value) is not None
