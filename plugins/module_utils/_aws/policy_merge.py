# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Merging statements into a policy document that others write to as well: by Sid, the rest untouched.

Private to the collection gen3.uploads.
"""
from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ansible_collections.gen3.uploads.plugins.module_utils._aws.policy import SID_PREFIX, document

Document = dict[str, Any]

_BUCKET_ARN = re.compile(r"arn:[^:]+:s3:[^:]*:[^:]*:[^:/*?]+")


def parse(text: str | None) -> Document:
    """Return a policy document with ``Statement`` as a list; an empty one for no text.

    Raises ValueError for anything that is not a JSON policy document.
    """
    if not text:
        return document([])
    policy = json.loads(text)
    if not isinstance(policy, dict):
        raise ValueError("it is not a JSON object")
    statements = policy.get("Statement", [])
    statements = [statements] if isinstance(statements, dict) else statements
    if not isinstance(statements, list) or not all(isinstance(statement, dict) for statement in statements):
        raise ValueError("its Statement is not a list of objects")
    return {**policy, "Statement": statements}


def merge(policy: Document, statements: Sequence[Mapping[str, Any]], remove_sids: Iterable[str] = ()) -> Document:
    """Return ``policy`` with exactly ``statements`` as ours, and without the statements named by ``remove_sids``.

    Statements of others keep their place and form. One of ours that already means the same stays as it is, so that
    the result equals ``policy`` if nothing has to change.
    """
    missing = {statement["Sid"]: dict(statement) for statement in statements}
    removed = set(remove_sids)
    merged = []
    for existing in policy["Statement"]:
        sid = existing.get("Sid")
        if sid in missing:
            desired = missing.pop(sid)
            merged.append(existing if _normalized(existing) == _normalized(desired) else desired)
        elif not is_ours(existing) and sid not in removed:
            merged.append(existing)
    return {**policy, "Statement": merged + list(missing.values())}


def is_ours(statement: Mapping[str, Any]) -> bool:
    """Tell whether a statement carries one of our Sids."""
    return str(statement.get("Sid", "")).startswith(SID_PREFIX)


def s3_buckets(statement: Mapping[str, Any]) -> list[tuple[str, str | None]]:
    """Return the buckets that a statement lets send events, as (name, account or None); patterns of names are left out.

    Terraform's examples let everyone send, on the condition that it is for a bucket, whose region and account they leave open.
    """
    principals = _principals(statement.get("Principal"))
    is_for_s3 = principals.get("aws") == ["*"] or any(name.startswith("s3.amazonaws.com") for name in principals.get("service", []))
    if statement.get("Effect") != "Allow" or not is_for_s3:
        return []
    values = {key.lower(): _as_list(each) for keys in (statement.get("Condition") or {}).values() for key, each in keys.items()}
    accounts = values.get("aws:sourceaccount", [])
    return [(arn.rpartition(":")[2], accounts[0] if len(accounts) == 1 else None)
            for arn in values.get("aws:sourcearn", []) if _BUCKET_ARN.fullmatch(arn)]


def open_to_everyone(policy: Document) -> list[Mapping[str, Any]]:
    """Return the statements that let any principal do everything, as the queue policy of Gen3's runbook does."""
    return [
        statement for statement in policy["Statement"]
        if statement.get("Effect") == "Allow"
        and _principals(statement.get("Principal")).get("aws") == ["*"]
        and any(action == "*" or action.endswith(":*") for action in _lower(statement.get("Action")))
    ]


def _normalized(statement: Mapping[str, Any]) -> dict[str, Any]:
    """Return a form in which two statements are equal if IAM treats them alike: scalars as lists, case, order."""
    return {
        "effect": statement.get("Effect"),
        "principal": _principals(statement.get("Principal")),
        "action": sorted(set(_lower(statement.get("Action")))),
        "resource": sorted(_as_list(statement.get("Resource"))),
        "condition": {
            operator.lower(): {key.lower(): sorted(map(str, _as_list(values))) for key, values in keys.items()}
            for operator, keys in (statement.get("Condition") or {}).items()
        },
        "other": {key: value for key, value in statement.items()
                  if key not in ("Sid", "Effect", "Principal", "Action", "Resource", "Condition")},
    }


def _principals(principal: Any) -> dict[str, list[str]]:
    if isinstance(principal, str):
        principal = {"AWS": principal}
    return {kind.lower(): sorted(_as_list(names)) for kind, names in (principal or {}).items()}


def _as_list(value: Any) -> list[Any]:
    if value is None:
        return []
    return list(value) if isinstance(value, (list, tuple)) else [value]


def _lower(actions: Any) -> list[str]:
    return [action.lower() for action in _as_list(actions)]
