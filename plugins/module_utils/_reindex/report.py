# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What all batches of reindex.yml found, in sentences. Pure.

Private to the collection gen3.uploads.
"""
from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

FINDINGS = (
    ("without_record", "without a record, so that nothing can be done"),
    ("without_guid", "without a GUID in the key"),
    ("damaged", "with content, and a record that says the file is empty, so that it must be uploaded anew"),
    ("replaced", "replaced after it was indexed, so that the new content must be uploaded as a file of its own"),
    ("odd_names", "with a name that the stock indexing image cannot index (use the image of the role indexer_image)"),
)
"""What an operator has to look at: the name of the count, and what it means."""


def lines(batches: Sequence[Mapping[str, Any]], with_status: bool) -> list[str]:
    """Return the counts of all batches, each a result of the module upload_reindex, with the keys that these name.

    ``with_status`` tells whether the metadata service was looked at.
    """
    counts: Counter[str] = Counter()
    for batch in batches:
        counts.update(batch["counts"])
    status = (f"indexed with another _upload_status than uploaded: {counts['stale_status']}, set: "
              f"{_with_keys(counts['status_set'], batches, 'stale_status')}")
    return [
        f"{counts['seen']} objects, {counts['stuck']} stuck, {counts['sent']} events sent",
        status if with_status else "the metadata service was not looked at, since uploads_metadata_url is not set",
        *(f"{meaning}: {_with_keys(counts[name], batches, name)}" for name, meaning in FINDINGS),
    ]


def _with_keys(count: int, batches: Sequence[Mapping[str, Any]], name: str) -> str:
    return " ".join([str(count), *(key for batch in batches for key in batch[name])])
