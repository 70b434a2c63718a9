# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How an indexing ends before it is done."""
from __future__ import annotations


class IndexingError(Exception):
    """The object cannot be indexed; the Job's next pod may have more luck."""


class Ended(BaseException):
    """The pod was told to end. No handler of errors may take this for one of its own."""
