# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How far a listing has come, from its last key alone: nobody can ask a bucket how many objects are left.

Private to the collection gen3.uploads.
"""
from __future__ import annotations

import re

from ansible_collections.gen3.uploads.plugins.module_utils._reindex.review import Upload

_FIRST_DIGITS = re.compile(r"[0-9a-f]{8}", re.IGNORECASE)
"""Of a UUID, whichever of its spellings the key has."""


def percent_done(last: Upload | None) -> int | None:
    """Return about how much of the bucket is read, in percent from 0 to 99; 100 without a last object, None where its key has no GUID.

    A listing is in the order of the keys, and GUIDs are random: their first digits say what share of all keys comes before.
    Where only some of the keys have a prefix before the GUID, the figure starts anew with them.
    """
    if last is None:
        return 100
    if not last.guid:
        return None
    digits = _FIRST_DIGITS.search(last.guid.rsplit("/", 1)[-1])
    return int(digits[0], 16) * 100 // 16 ** 8
