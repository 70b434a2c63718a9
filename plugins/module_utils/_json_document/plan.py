# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What has to be written so that a document inside a Secret or ConfigMap is as desired. Pure functions.

Private to the collection gen3.uploads.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.gen3.uploads.plugins.module_utils._core.errors import UploadsError
from ansible_collections.gen3.uploads.plugins.module_utils._core.changes import CREATED_BY, CREATED_BY_VALUE, Change
from ansible_collections.gen3.uploads.plugins.module_utils._core.names import describe
from ansible_collections.gen3.uploads.plugins.module_utils._json_document.merge import (
    ABSENT,
    Difference,
    DocumentError,
    differences,
    is_empty_tree,
    merge,
    parse,
    remove,
    render,
)
from ansible_collections.gen3.uploads.plugins.module_utils._k8s.ownership import FIELD_MANAGER, Owner, blocks_others

REDACTED, REDACTED_CHANGED = "<redacted>", "<redacted, changed>"


class MergeError(UploadsError):
    """The object does not allow what is desired; one sentence that names the object and the key, never their content."""


@dataclass(frozen=True)
class Desired:
    """First ``remove`` the paths, then ``merge`` the patch: for the JSON document under one key of an object.

    Where there is no such document yet, something is to be merged, and ``start`` is given, that text is what it starts
    from. With a ``replacement`` the document becomes that text. Labels and annotations are for the creation of the object only.
    """

    kind: str
    name: str
    namespace: str
    key: str
    merge: Mapping[str, Any] = field(default_factory=dict)
    remove: Sequence[Any] = ()
    list_keys: Mapping[str, str] = field(default_factory=dict)
    create: bool = True
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    start: str = field(default="", repr=False)
    replacement: str = field(default="", repr=False)

    @property
    def resource(self) -> str:
        return describe(self.kind, self.name, self.namespace)

    def __str__(self) -> str:
        return f"key {self.key} of {self.resource}"


def plan(
    desired: Desired,
    current: Mapping[str, Any] | None,
    owners: Sequence[Owner],
    overwrite: bool,
    consent: str = "set overwrite_externally_managed",
) -> list[Change]:
    """Return the one write that makes an object as desired (None: it does not exist), or nothing.

    ``owners`` as of ``ownership.owners``; unless ``overwrite``, a key that one of them would take back is refused, and
    ``consent`` tells what to do if that is wanted all the same. Where nothing differs, but a run that was killed has
    left its claim on the object, the write gives that up. Raises MergeError.
    """
    text = text_of(desired, current)
    try:
        before, result = parse(text), after(desired, text)
    except DocumentError as error:
        raise MergeError(f"Cannot merge into {desired}: it {error}.") from None
    except ValueError as error:  # a path in what is desired
        raise MergeError(f"Cannot merge into {desired}: {error}.") from None
    changed = differences(before, result, desired.list_keys)
    target = {"kind": desired.kind, "name": desired.name, "namespace": desired.namespace}
    data = {desired.key: _encoded(desired.kind, desired.replacement or render(result, like=_model(desired, text)))}
    if current is not None and _is_used_up(desired, current, result):
        version = current["metadata"]["resourceVersion"]
        change = _change("delete", desired, changed, "delete", **target, resource_version=version)
    elif not changed:
        return _leftover_claim(desired, current, target)
    elif current is None:
        change = _change("create", desired, changed, "create", manifest=_manifest(desired, data))
    else:
        patch = {"metadata": {"resourceVersion": current["metadata"]["resourceVersion"]}, "data": data}
        change = _change("update", desired, changed, "merge_patch", **target, patch=patch)
    _check_writable(desired, current, owners, overwrite, consent)
    return [change]


def after(desired: Desired, text: str) -> dict[str, Any]:
    """Return the document as it is desired, where it is ``text`` now. Raises DocumentError, and ValueError for an unusable path."""
    if desired.replacement:
        return parse(desired.replacement)
    return merge(remove(parse(_model(desired, text)), desired.remove), desired.merge, desired.list_keys)


def _model(desired: Desired, text: str) -> str:
    """Return the text that a document begins with, and whose layout it has."""
    return text or (desired.start if desired.merge else "")


def after_changes(current: Mapping[str, Any] | None, changes: Sequence[Change]) -> Mapping[str, Any] | None:
    """Return the object as it is after the changes of ``plan``, for the plan of another of its documents."""
    for change in changes:
        if change.operation == "create":
            manifest = change.parameters["manifest"]
            current = {**manifest, "metadata": {**manifest["metadata"], "resourceVersion": ""}}
        elif change.operation == "merge_patch":
            current = {**(current or {}), "data": {**((current or {}).get("data") or {}), **change.parameters["patch"]["data"]}}
        elif change.operation == "delete":
            current = None
    return current


def warnings(desired: Desired, owners: Sequence[Owner]) -> list[str]:
    """Return what an operator should know about a change to an object that others write to as well."""
    return [f"{desired.resource}: {owner.happens}." for owner in owners]


def _leftover_claim(desired: Desired, current: Mapping[str, Any] | None, target: Mapping[str, Any]) -> list[Change]:
    if current is None or not blocks_others(current):
        return []
    before, after = {FIELD_MANAGER: "has claims"}, {FIELD_MANAGER: "has none"}
    return [Change("update", desired.resource, "managedFields", before, after, "release", target)]


def _check_writable(
    desired: Desired, current: Mapping[str, Any] | None, owners: Sequence[Owner], overwrite: bool, consent: str
) -> None:
    reverting = [owner for owner in owners if owner.effect.reverts]
    if reverting and not overwrite:
        raise MergeError(
            f"Refusing to change {desired}: {' and '.join(owner.happens for owner in reverting)};"
            f" {reverting[0].effect.remedy}, or {consent}."
        )
    if current is None and not desired.create:
        raise MergeError(f"Cannot merge into {desired}: the object does not exist, and create is false.")
    if current is not None and current.get("immutable"):
        raise MergeError(f"Cannot change {desired}: the object is immutable; delete it and let it be created again.")


def _is_used_up(desired: Desired, current: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    """Tell whether we created the object, only removals are desired, and they leave nothing in it."""
    annotations = current["metadata"].get("annotations") or {}
    others = {**(current.get("data") or {}), **(current.get("binaryData") or {})}
    others.pop(desired.key, None)
    return annotations.get(CREATED_BY) == CREATED_BY_VALUE and not desired.merge and not others and is_empty_tree(after)


def text_of(desired: Desired, current: Mapping[str, Any] | None) -> str:
    """Return the text under the key that is desired, empty if there is none. Raises MergeError where it is not text."""
    current = current or {}
    value = (current.get("data") or {}).get(desired.key, "")
    if desired.key in (current.get("binaryData") or {}):
        raise MergeError(f"Cannot merge into {desired}: it is binary data.")
    if desired.kind == "ConfigMap":
        return value
    try:
        return base64.b64decode(value).decode()
    except (binascii.Error, UnicodeDecodeError):
        raise MergeError(f"Cannot merge into {desired}: it is not text in UTF-8.") from None


def _encoded(kind: str, text: str) -> str:
    return base64.b64encode(text.encode()).decode() if kind == "Secret" else text


def _manifest(desired: Desired, data: Mapping[str, str]) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": desired.kind,
        "metadata": {
            "name": desired.name,
            "namespace": desired.namespace,
            "labels": dict(desired.labels),
            "annotations": {**desired.annotations, CREATED_BY: CREATED_BY_VALUE},
        },
        "data": data,
    }


def _change(action: str, desired: Desired, changed: Sequence[Difference], operation: str, **parameters: Any) -> Change:
    before = {each.path: each.before for each in changed if each.before is not ABSENT}
    after = {each.path: each.after for each in changed if each.after is not ABSENT}
    if desired.kind == "Secret":
        after = {path: REDACTED_CHANGED if path in before else REDACTED for path in after}
        before = dict.fromkeys(before, REDACTED)
    return Change(action, desired.resource, desired.key, before, after, operation, parameters)
