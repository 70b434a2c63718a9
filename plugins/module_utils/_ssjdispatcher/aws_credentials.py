# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whose AWS credentials ssjdispatcher and its Jobs use, and what that needs. Pure.

Keys in ``credentials.json`` win over a role (ssjdispatcher ``handlers/sqs.go``), and a secret key cannot be read again from AWS:
so they stay unless their removal is asked for.

Private to the collection gen3.uploads.
"""
from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

CHOICES = ("as_found", "irsa", "ambient", "secret_ref", "variables")
"""``as_found`` leaves keys and annotations as they are; ``ambient`` is what a node or EKS Pod Identity gives."""

WITHOUT_KEYS = ("irsa", "ambient")
"""The choices that keys in the document would defeat."""

KEYS = ("aws_access_key_id", "aws_secret_access_key")

ROLE_ARN = re.compile(r"arn:aws[a-z-]*:iam::[0-9]{12}:role/[\w+=,.@/-]+", re.ASCII)


def problems(choice: str, before: Mapping[str, Any], after: Mapping[str, Any], roles: Mapping[str, tuple[str | None, str | None]],
             ) -> Iterator[str]:
    """Yield what keeps the choice from having an effect, or would take away what works.

    ``before`` and ``after`` are credentials.json without and with the changes. ``roles`` is ServiceAccount -> (the ARN that the
    operator gives, the one that its annotation has), for each account that needs a role.
    """
    for account, (given, _annotated) in roles.items():
        if given and not ROLE_ARN.fullmatch(given):
            yield (f"{given}, which is given for the ServiceAccount {account}, is not the ARN of an IAM role; it looks like "
                   "arn:aws:iam::123456789012:role/name.")
    if choice == "irsa":
        missing = [account for account, (given, annotated) in roles.items() if not given and not annotated]
        if missing:
            yield (f"ssjdispatcher_aws_credentials is irsa, but the ServiceAccount {' and '.join(missing)} has no IAM role: set "
                   "ssjdispatcher_irsa_role_arn and ssjdispatcher_irsa_job_role_arn, or choose as_found or ambient.")
    if choice in WITHOUT_KEYS and has_keys(after):
        yield (f"ssjdispatcher_aws_credentials is {choice}, but credentials.json has AWS keys, which are used before any role. A "
               "secret key cannot be read again from AWS: keep a copy and set ssjdispatcher_remove_aws_keys, or choose as_found.")


def warnings(choice: str, after: Mapping[str, Any], roles: Mapping[str, tuple[str | None, str | None]]) -> Iterator[str]:
    """Yield what an operator who made no choice should know."""
    without = [account for account, found in roles.items() if not any(found)]
    if choice == "as_found" and not has_keys(after) and without:
        yield (f"no AWS credentials are found: credentials.json has no keys, and the ServiceAccount {' and '.join(without)} has no IAM "
               "role. Unless the node or EKS Pod Identity gives them, nothing is received or read: set ssjdispatcher_aws_credentials.")


def has_keys(document: Mapping[str, Any]) -> bool:
    """Tell whether credentials.json has an AWS key."""
    aws = document.get("AWS")
    return isinstance(aws, Mapping) and any(aws.get(key) for key in KEYS)
