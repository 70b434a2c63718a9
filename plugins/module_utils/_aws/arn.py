# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where in AWS a name lives: partition, region and account, and the ARNs that follow from them.

Private to the collection gen3.uploads.
"""
from __future__ import annotations

import re
from dataclasses import dataclass

_PARTITIONS = {
    "cn-": "aws-cn",
    "us-gov-": "aws-us-gov",
    "us-iso-": "aws-iso",
    "us-isob-": "aws-iso-b",
    "eu-isoe-": "aws-iso-e",
    "us-isof-": "aws-iso-f",
    "eusc-": "aws-eusc",
}


@dataclass(frozen=True)
class Scope:
    """One account in one region."""

    region: str
    account_id: str

    @property
    def partition(self) -> str:
        """Return the partition, which AWS encodes in the prefix of a region's name."""
        return next((name for prefix, name in _PARTITIONS.items() if self.region.startswith(prefix)), "aws")

    def arn(self, service: str, resource: str) -> str:
        """Return the ARN of a topic, queue or key of this account and region."""
        return f"arn:{self.partition}:{service}:{self.region}:{self.account_id}:{resource}"

    def bucket_arn(self, name: str) -> str:
        """Return the ARN of a bucket, which names neither region nor account."""
        return f"arn:{self.partition}:s3:::{name}"


def is_account_id(value: str) -> bool:
    """Tell whether a value is an account's 12 digits."""
    return re.fullmatch(r"\d{12}", value) is not None
