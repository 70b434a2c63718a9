# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How things are called, in messages and where several parts must agree.

Private to the collection gen3.uploads.
"""
from __future__ import annotations

PROBE_FILE_NAME = "gen3-uploads-probe.txt"
"""Name of the file that verify.yml uploads; the operator's policy allows no other object."""

UPLOAD_EVENTS = ("s3:ObjectCreated:Put", "s3:ObjectCreated:Post", "s3:ObjectCreated:Copy", "s3:ObjectCreated:CompleteMultipartUpload")
"""The ways in which an upload completes, on Amazon S3 and on MinIO.

ssjdispatcher never looks at the kind of an event, so no others may reach it. MinIO's ``ObjectCreated:*`` also means changes of tags,
retention and holds.
"""


def describe(kind: str, name: str, namespace: str) -> str:
    """Return how messages and change lists call a Kubernetes object: ``Secret default/creds``."""
    return f"{kind} {namespace}/{name}"
