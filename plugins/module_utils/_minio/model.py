# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a MinIO server has, and what the collection grants on it. Pure.

Private to the collection gen3.uploads.
"""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

_ACTIONS = {
    "uploader": ("s3:PutObject", "s3:AbortMultipartUpload", "s3:ListMultipartUploadParts"),
    "indexer": ("s3:GetObject",),
    "fence": ("s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload",
              "s3:ListMultipartUploadParts"),
}
GRANTS = tuple(_ACTIONS)
"""The names of what a policy can grant."""


@dataclass(frozen=True)
class Current:
    """All that was read of the server; names of what does not exist are missing."""

    region: str
    arns: Sequence[str] = ()
    buckets: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    policies: Mapping[str, Any] = field(default_factory=dict)
    users: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    groups: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    service_accounts: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    rules_are_whole: bool = True
    """Whether the rules of targets that are not live were read too."""


def policy_for(grant: str, buckets: Sequence[str]) -> dict[str, Any]:
    """Return the least privileges of an uploader, the indexing Jobs, or fence, which signs URLs, on some buckets."""
    return {"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": sorted(_ACTIONS[grant]), "Resource": [f"arn:aws:s3:::{b}/*" for b in buckets]},
        {"Effect": "Allow", "Action": ["s3:GetBucketLocation", "s3:ListBucket"],
         "Resource": [f"arn:aws:s3:::{b}" for b in buckets]},
    ]}
