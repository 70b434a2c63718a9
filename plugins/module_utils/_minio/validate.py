# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the role minio's lists of logins must look like. Pure.

A key that a module does not know would be shown with its value, which may be a secret, so the role looks first. No sentence
quotes a value other than a name.

Private to the collection gen3.uploads.
"""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

KEYS = {
    "minio_users": ("name", "state", "secret", "enabled", "policies"),
    "minio_service_accounts": ("access_key", "state", "secret", "policy", "grant", "buckets"),
}
"""Variable -> the keys of its elements, as minio_resources has them; the first names the element."""

TEXTS = ("name", "access_key", "secret", "policies", "buckets")
"""Keys whose value, or each of whose values, is text."""


def login_problems(users: Sequence[Mapping[str, Any]], service_accounts: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return what is wrong with ``minio_users`` and ``minio_service_accounts``, in sentences; empty where nothing is."""
    found = []
    for variable, elements in (("minio_users", users), ("minio_service_accounts", service_accounts)):
        known = KEYS[variable]
        for position, element in enumerate(elements):
            where = f"{variable}[{position}]"
            if not isinstance(element, Mapping):
                found.append(f"{where} must be a mapping with {', '.join(known)}.")
                continue
            unknown = sorted(str(key) for key in element if key not in known)
            if unknown:
                found.append(f"{where} has {', '.join(unknown)}, which is none of {', '.join(known)}.")
            if not element.get(known[0]):
                found.append(f"{where} needs {known[0]}.")
            found += [f"{key} of {where} is read by YAML as a number and not as it was written: put it into quotes."
                      for key in TEXTS if any(isinstance(value, (int, float)) for value in _listed(element.get(key)))]
    return found


def _listed(value: Any) -> Sequence[Any]:
    return value if isinstance(value, Sequence) else [value]
