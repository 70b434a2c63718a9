# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The documents as they were before the first change: kept in a Secret of ours, and put back by a removal. Pure.

A commons may have had an entry, a queue or an image of its own under the names that we use. What others have changed since stays.

Private to the collection gen3.uploads.
"""
from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.gen3.uploads.plugins.module_utils._core.changes import CREATED_BY, CREATED_BY_VALUE, Change
from ansible_collections.gen3.uploads.plugins.module_utils._core.names import describe
from ansible_collections.gen3.uploads.plugins.module_utils._json_document.merge import (
    ABSENT,
    DocumentError,
    parse,
    remove,
    render,
    select,
)
from ansible_collections.gen3.uploads.plugins.module_utils._json_document.path import Element, Step, parse_path
from ansible_collections.gen3.uploads.plugins.module_utils._json_document.plan import REDACTED, Desired

FORMER_SECRET = "ssjdispatcher-former"
"""Has passwords, as the documents have: so it is a Secret, also for what is from a ConfigMap."""


def key_of(desired: Desired) -> str:
    """Return under which key the Secret keeps a document."""
    return f"{desired.kind}.{desired.name}.{desired.key}"


def text_of(secret: Mapping[str, Any] | None, desired: Desired) -> str | None:
    """Return the former text of a document, None where none is kept."""
    kept = ((secret or {}).get("data") or {}).get(key_of(desired))
    return base64.b64decode(kept).decode(errors="replace") if kept else None


def read(secret: Mapping[str, Any] | None, desired: Desired) -> dict[str, Any]:
    """Return the former document, an empty one where none is kept or it is unusable."""
    try:
        return parse(text_of(secret, desired) or "")
    except DocumentError:
        return {}


def account_key(name: str) -> str:
    """Return under which key the Secret keeps what a ServiceAccount was."""
    return f"ServiceAccount.{name}"


def accounts(secret: Mapping[str, Any] | None) -> dict[str, dict[str, Any]]:
    """Return ServiceAccount -> what it was before our first change."""
    kept = {key.removeprefix(account_key("")): base64.b64decode(value).decode(errors="replace")
            for key, value in ((secret or {}).get("data") or {}).items() if key.startswith(account_key(""))}
    return {name: json.loads(text) for name, text in kept.items()}


def keep(secret: Mapping[str, Any] | None, namespace: str, texts: Mapping[str, str]) -> list[Change]:
    """Return the write that keeps these texts (by ``key_of``), of which the first that was kept stays."""
    present = (secret or {}).get("data") or {}
    data = {key: base64.b64encode(text.encode()).decode() for key, text in texts.items() if key not in present}
    if not data:
        return []
    resource, shown = describe("Secret", FORMER_SECRET, namespace), dict.fromkeys(data, REDACTED)
    if secret is None:
        metadata = {"name": FORMER_SECRET, "namespace": namespace, "annotations": {CREATED_BY: CREATED_BY_VALUE}}
        manifest = {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "data": data}
        return [Change("create", resource, None, {}, shown, "create", {"manifest": manifest})]
    patch = {"metadata": {"resourceVersion": secret["metadata"]["resourceVersion"]}, "data": data}
    target = {"kind": "Secret", "name": FORMER_SECRET, "namespace": namespace, "patch": patch}
    return [Change("update", resource, None, {}, shown, "merge_patch", target)]


def forget(secret: Mapping[str, Any] | None, namespace: str) -> list[Change]:
    """Return the removal of the Secret, if there is one of ours."""
    metadata = (secret or {}).get("metadata") or {}
    if (metadata.get("annotations") or {}).get(CREATED_BY) != CREATED_BY_VALUE:
        return []
    target = {"kind": "Secret", "name": FORMER_SECRET, "namespace": namespace, "resource_version": metadata["resourceVersion"]}
    return [Change("delete", describe("Secret", FORMER_SECRET, namespace), None, {}, {}, "delete", target)]


def restore(text: str, former_text: str, paths: Sequence[Any], instead: Mapping[str, str]) -> str | None:
    """Return the text of a document with the values at ``paths``, which are ours, as they were in the former text.

    ``instead`` is path -> what is written there where the former document has nothing and entries are left: ssjdispatcher does not start
    without. Where it differs from today's in nothing else, the former text comes back as it was. None where the former document is
    unusable. Raises DocumentError where today's is.
    """
    document = parse(text)
    try:
        former = parse(former_text)
    except DocumentError:
        return None
    complete = not former.get("JOBS") or all(select(former, path) is not ABSENT for path in instead)
    if complete and _others(document, paths) == _others(former, paths):
        return former_text
    after = document
    for path in paths:
        value = select(former, path)
        after = remove(after, [path]) if value is ABSENT else _with(after, parse_path(path), value)
    for path, value in instead.items():
        if after.get("JOBS") and select(after, path) is ABSENT:
            after = _with(after, parse_path(path), value)
    return render({key: value for key, value in after.items() if value not in ({}, []) or key in former}, like=text)


def _others(document: Mapping[str, Any], paths: Sequence[Any]) -> dict[str, Any]:
    """Return the document without what is ours, and without what that leaves empty."""
    return {key: value for key, value in remove(document, paths).items() if value not in ({}, [])}


def _with(document: Any, steps: Sequence[Step], value: Any) -> Any:
    """Return a copy with the value in its place; an element that is there keeps its position, which decides who takes an upload."""
    if not steps:
        return value
    step, *rest = steps
    if isinstance(step, Element):
        elements = list(document or [])
        position = next((i for i, each in enumerate(elements) if isinstance(each, dict) and each.get(step.key) == step.value), None)
        if position is None:
            return [*elements, _with({step.key: step.value}, rest, value)]
        elements[position] = _with(elements[position], rest, value)
        return elements
    return {**(document or {}), step: _with((document or {}).get(step), rest, value)}
