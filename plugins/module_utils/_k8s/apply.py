# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Applying the manifests of a program of ours in one process: Secret and ConfigMap, what leads to it, and its Deployment.

Private to the collection gen3.uploads.
"""
from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.gen3.uploads.plugins.module_utils._core.certificates import pair_problems
from ansible_collections.gen3.uploads.plugins.module_utils._core.changes import CREATED_BY, TAG_PREFIX, Change
from ansible_collections.gen3.uploads.plugins.module_utils._core.errors import UploadsError
from ansible_collections.gen3.uploads.plugins.module_utils._core.names import describe
from ansible_collections.gen3.uploads.plugins.module_utils._k8s.client import Kube, KubeError

Manifest = Mapping[str, Any]

STARTED_WITH = TAG_PREFIX + "started-with"
"""Annotation of the pods: the versions of the Secrets and ConfigMaps, which a pod reads at its start only."""

TO_BE_WRITTEN = "to be written"
"""The version of what check mode does not write: any other than the present one."""

_OF_THE_SERVER = ("managedFields", "resourceVersion", "generation", "uid", "creationTimestamp")


class ApplyError(UploadsError):
    """Why nothing is applied: one sentence for the operator."""


def problems(definitions: Sequence[Any]) -> list[str]:
    """Return what definitions lack to be manifests, in sentences."""
    found = []
    for number, each in enumerate(definitions):
        metadata = each.get("metadata")
        lacking = [name for name in ("apiVersion", "kind") if not isinstance(each.get(name), str)]
        lacking += [] if isinstance(metadata, Mapping) and isinstance(metadata.get("name"), str) else ["metadata.name"]
        if lacking:
            found.append(f"definitions[{number}] has no {' and no '.join(lacking)}.")
    return found


def observe(kube: Kube, objects: Sequence[Manifest], namespace: str) -> list[dict[str, Any] | None]:
    """Return what is there of these objects, in their order; None for one that is not."""
    return [kube.get(each["kind"], _name(each), namespace) for each in objects]


def refuse_foreign(manifests: Sequence[Manifest], found: Sequence[Manifest | None]) -> None:
    """Raise ApplyError where an object that is there carries no mark of ours."""
    foreign = [_describe(each) for each, there in zip(manifests, found) if there is not None and not _is_ours(there)]
    if foreign:
        raise ApplyError(f"{', '.join(foreign)}: not made by this role, so it stays as it is. Give ours another name, or remove it.")


def apply(kube: Kube, manifests: Sequence[Manifest], found: Sequence[Manifest | None], manager: str, dry_run: bool) -> list[Change]:
    """Apply the manifests one after the other, those whose objects differ, and return the changes.

    The server is asked first what would change: where it is nothing, nothing is written. A Deployment gets the versions of the Secrets
    and ConfigMaps before it, so that it starts anew with each other version.
    """
    changes, versions = [], []
    for manifest, before in zip(manifests, found):
        if manifest["kind"] == "Deployment":
            manifest = _started_with(manifest, " ".join(versions))
        after = kube.apply(manifest, manager, dry_run=True)
        change = _change(manifest, before, after)
        if change:
            changes.append(change)
            after = after if dry_run else kube.apply(manifest, manager)
        if manifest["kind"] in ("Secret", "ConfigMap"):
            versions.append(TO_BE_WRITTEN if change and dry_run else after["metadata"]["resourceVersion"])
    return changes


def remove(kube: Kube, found: Sequence[Manifest | None], dry_run: bool) -> list[Change]:
    """Delete what is there and ours, and return the changes."""
    ours = [each for each in found if each is not None and _is_ours(each)]
    for each in ours:
        metadata = each["metadata"]
        kube.delete(each["kind"], metadata["name"], metadata["namespace"], metadata["resourceVersion"], dry_run)
    return [Change("delete", _describe(each), before="present", after=None) for each in ours]


def staying(found: Sequence[Manifest | None]) -> list[str]:
    """Return the sentences about what is to go and stays, since it is not ours."""
    return [f"{_describe(each)} was not made by this role, and stays." for each in found if each is not None and not _is_ours(each)]


def check_certificate(kube: Kube, name: str, namespace: str) -> list[str]:
    """Raise ApplyError where the Secret with a server's certificate is missing or its pair does not fit; return warnings.

    A pod with such a pair ends again and again. Who may not read the Secret cannot know it before.
    """
    where = describe("Secret", name, namespace)
    try:
        secret = kube.get("Secret", name, namespace)
    except KubeError as error:
        if error.status != 403:
            raise
        return [f"{where} cannot be read with this login, so that its certificate is not checked."]
    if secret is None:
        raise ApplyError(f"There is no {where}: create it with tls.crt and tls.key first.")
    pair = [_text(secret, part) for part in ("tls.crt", "tls.key")]
    problems = pair_problems(*pair, f"tls.crt of {where}", f"tls.key of {where}")
    if problems:
        raise ApplyError(" ".join(problems))
    return []


def _text(secret: Manifest, key: str) -> str:
    try:
        return base64.b64decode((secret.get("data") or {}).get(key, "")).decode()
    except (binascii.Error, UnicodeDecodeError):
        return ""


def _change(manifest: Manifest, before: Manifest | None, after: Manifest) -> Change | None:
    if before is None:
        return Change("create", _describe(manifest), before=None, after="present")
    parts = [part for part in {**before, **after} if part != "status" and _content(before, part) != _content(after, part)]
    if not parts:
        return None
    if manifest["kind"] == "Secret":  # the values are nobody's
        return Change("update", _describe(manifest), ", ".join(parts), "present", "another value")
    return Change("update", _describe(manifest), ", ".join(parts),
                  {part: _content(before, part) for part in parts}, {part: _content(after, part) for part in parts})


def _content(obj: Manifest, part: str) -> Any:
    """Return a part of an object without what the server adds to each write."""
    if part != "metadata":
        return obj.get(part)
    return {name: value for name, value in obj["metadata"].items() if name not in _OF_THE_SERVER}


def _started_with(deployment: Manifest, versions: str) -> dict[str, Any]:
    template = deployment["spec"]["template"]
    annotations = {**template["metadata"].get("annotations", {}), STARTED_WITH: versions}
    template = {**template, "metadata": {**template["metadata"], "annotations": annotations}}
    return {**deployment, "spec": {**deployment["spec"], "template": template}}


def _is_ours(obj: Manifest) -> bool:
    return CREATED_BY in (obj["metadata"].get("annotations") or {})


def _name(obj: Manifest) -> str:
    return obj["metadata"]["name"]


def _describe(obj: Manifest) -> str:
    return describe(obj["kind"], _name(obj), obj["metadata"]["namespace"])
