# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the role minio's lists of logins must look like. Pure.

A key that a module does not know would be shown with its value, which may be a secret, so the role looks first. No sentence
quotes a value other than a name.

Private to the collection gen3.uploads.
"""
from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.gen3.uploads.plugins.module_utils._minio.model import GRANTS

KEYS = {
    "minio_users": ("name", "state", "secret", "enabled", "policies"),
    "minio_service_accounts": ("access_key", "state", "secret", "policy", "grant", "buckets"),
}
"""Variable -> the keys of its elements, as minio_resources has them; the first names the element."""

TEXTS = ("name", "access_key", "secret", "policies", "buckets")
"""Keys whose value, or each of whose values, is text."""

CHOICES = {"state": ("present", "absent"), "grant": tuple(GRANTS)}
"""Keys that take one of a few words. The module would quote another one, and it may have slipped in from the line of a secret."""


def login_problems(users: Any, service_accounts: Any, name_of_users: str = "minio_users") -> list[str]:
    """Return what is wrong with ``minio_users`` and ``minio_service_accounts``, in sentences; empty where nothing is.

    ``name_of_users`` is the variable in which the reader of the sentences has set the users.
    """
    return [*_problems(name_of_users, KEYS["minio_users"], users),
            *_problems("minio_service_accounts", KEYS["minio_service_accounts"], service_accounts)]


def _problems(variable: str, known: Sequence[str], elements: Any) -> list[str]:
    if not _is_list(elements):
        return [f"{variable} must be a list of mappings with {', '.join(known)}."]
    found = []
    for position, element in enumerate(elements):
        where = f"{variable}[{position}]"
        if not isinstance(element, Mapping):
            found.append(f"{where} must be a mapping with {', '.join(known)}.")
            continue
        unknown = sorted({_shown(key, value) for key, value in element.items() if key not in known})
        if unknown:
            found.append(f"{where} has {', '.join(unknown)}, which is none of {', '.join(known)}.")
        if not element.get(known[0]):
            found.append(f"{where} needs {known[0]}.")
        values = [(key, value) for key in TEXTS for value in _listed(element.get(key))]
        found += dict.fromkeys(
            f"{key} of {where} is read by YAML as a number and not as it was written: put it into quotes." if isinstance(value, (int, float))
            else f"{key} of {where} must be text."
            for key, value in values if value is not None and not isinstance(value, str))
        found += [f"{key} of {where} must be {' or '.join(words)}." for key, words in CHOICES.items()
                  if element.get(key) is not None and element[key] not in words]
    return found


def _shown(key: Any, value: Any) -> str:
    """Return how a sentence names a key that nobody knows: ``{secret:hunter2}`` without a space is a key, and has no value."""
    is_a_word = isinstance(key, str) and re.fullmatch("[A-Za-z_]{1,20}", key)
    return str(key) if is_a_word and value is not None else "a key (not shown, it may hold a secret)"


def _is_list(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str)


def _listed(value: Any) -> Sequence[Any]:
    return value if _is_list(value) else [value]
