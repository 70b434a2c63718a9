# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``value_from``: values that a patch takes from Secrets or a no_log option and that never pass through Ansible.

Private to the collection gen3.uploads.
"""

from __future__ import annotations

import base64
import binascii
import shlex
from collections.abc import Callable, Mapping
from typing import Any

from ansible_collections.gen3.uploads.plugins.module_utils._core.errors import UploadsError
from ansible_collections.gen3.uploads.plugins.module_utils._json_document.merge import (
    ABSENT,
    DocumentError,
    parse,
    select,
)
from ansible_collections.gen3.uploads.plugins.module_utils._json_document.path import parse_path
from ansible_collections.gen3.uploads.plugins.module_utils._k8s.env_value import escape

SECRET_OPTIONS = {"secret", "namespace", "key", "format", "path"}


class ValueSourceError(UploadsError):
    """A value cannot be had; one sentence that names the source, never a value."""


ReadSecret = Callable[[str, "str | None"], "Mapping[str, Any] | None"]
"""(name, namespace or None for that of the document) -> the Secret as the API returns it, or None if missing."""


def resolve(patch: Any, read_secret: ReadSecret, sensitive: Mapping[str, Any] | None = None) -> Any:
    """Return the patch with each ``{value_from: source}`` replaced by the value of its source.

    A source is ``{sensitive: name}``, an entry of the no_log option ``sensitive``; or ``{secret, key}`` with
    ``namespace`` (default: that of the document), ``format`` (``raw``, ``json``, ``dotenv``) and ``path`` (of the value
    in a ``json`` document; for ``dotenv`` ``[VARIABLE]``, or ``[VARIABLE, user]`` where the variable is a comma list of
    user:password, as the metadata service's ADMIN_LOGINS). With ``for_env: true`` the value is written so that Kubernetes
    hands it on unchanged in a container's environment. A line feed at the end of a value is that of the file which it was
    made from, and is left out. Raises ValueSourceError where there is no such value, or an empty one.
    """
    if isinstance(patch, Mapping):
        if set(patch) == {"value_from"}:
            return _value(patch["value_from"], read_secret, sensitive or {})
        return {key: resolve(value, read_secret, sensitive) for key, value in patch.items()}
    if isinstance(patch, (list, tuple)):
        return [resolve(item, read_secret, sensitive) for item in patch]
    return patch


def _value(source: Any, read_secret: ReadSecret, sensitive: Mapping[str, Any]) -> Any:
    if not isinstance(source, Mapping):
        raise ValueSourceError("value_from needs a mapping: either {sensitive: name} or {secret: name, key: key}.")
    for_env = source.get("for_env", False)
    source = {name: option for name, option in source.items() if name != "for_env"}
    if set(source) == {"sensitive"}:
        value = sensitive.get(source["sensitive"])
        where = f"the entry {source['sensitive']} of the option sensitive"
    elif {"secret", "key"} <= set(source) <= SECRET_OPTIONS:
        value, where = _from_secret(read_secret, **source)
    else:
        raise ValueSourceError(
            "value_from takes either sensitive alone, or secret and key with namespace, format and path;"
            f" it has {', '.join(sorted(map(str, source))) or 'none of them'}."
        )
    if isinstance(value, str):
        value = value.rstrip("\r\n")
    if value is None or value == "":
        raise ValueSourceError(f"Cannot take a value from {where}: it is empty or missing.")
    return escape(value) if for_env and isinstance(value, str) else value


def _from_secret(
    read_secret: ReadSecret, secret: str, key: str, namespace: str | None = None, format: str = "raw", path: Any = None
) -> tuple[Any, str]:
    where = f"key {key} of Secret {namespace}/{secret}" if namespace else f"key {key} of Secret {secret}"
    if format not in ("raw", "json", "dotenv"):
        raise ValueSourceError(f"value_from has the format {format!r}; it must be raw, json or dotenv.")
    if (format == "raw") != (path is None):
        raise ValueSourceError(
            f"value_from for {where} needs a path with the formats json and dotenv, and only with these."
        )
    found = read_secret(secret, namespace)
    if found is None:
        raise ValueSourceError(f"Cannot take a value from {where}: there is no such Secret.")
    encoded = (found.get("data") or {}).get(key)
    if encoded is None:
        keys = ", ".join(sorted(found.get("data") or {})) or "none"
        raise ValueSourceError(f"Cannot take a value from {where}: the Secret has no such key (it has {keys}).")
    try:
        text = base64.b64decode(encoded).decode()
    except (binascii.Error, UnicodeDecodeError):
        raise ValueSourceError(f"Cannot take a value from {where}: it is not text in UTF-8.") from None
    if format == "raw":
        return text, where
    try:
        steps = parse_path(path)
        value = select(parse(text), path) if format == "json" else _from_dotenv(text, *map(str, steps))
    except DocumentError as error:
        raise ValueSourceError(f"Cannot take a value from {where}: it {error}.") from None
    except (ValueError, TypeError):
        raise ValueSourceError(
            f"value_from for {where} has an unusable path; json takes a path such as user_db.fence,"
            " dotenv [VARIABLE] or [VARIABLE, user]."
        ) from None
    shown = path if isinstance(path, str) else ".".join(map(str, path))
    if value is ABSENT or value is None:
        raise ValueSourceError(f"Cannot take a value from {where}: there is nothing at {shown}.")
    return value, f"{shown} in {where}"


def _from_dotenv(text: str, variable: str, user: str | None = None) -> str | None:
    """Return the last assignment to a variable, or in it the password of a user; None if there is none.

    As the metadata service reads them: starlette's ``Config`` strips quotes, and its ``CommaSeparatedStrings`` splits as a shell does, with
    quotes, backslashes and comments (starlette ``config.py``, ``datastructures.py``).
    """
    value = None
    for line in text.splitlines():
        name, separator, rest = line.strip().removeprefix("export ").partition("=")
        if separator and name.strip() == variable:
            value = rest.strip().strip("\"'")
    if value is None or user is None:
        return value
    logins = shlex.shlex(value, posix=True)
    logins.whitespace, logins.whitespace_split = ",", True
    try:
        return dict(login.strip().partition(":")[::2] for login in logins).get(user)
    except ValueError:  # an open quotation, with which the service does not start
        return None
