# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who else writes to a Kubernetes object, read from its metadata.

Private to the collection gen3.uploads.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Owner:
    """``kind``: ``controller`` (undoes an edit within minutes), ``helm``, ``argocd`` (at the next upgrade or sync)."""

    kind: str
    name: str


def owners(obj: Mapping[str, Any] | None, external_secrets: Sequence[Mapping[str, Any]] = ()) -> list[Owner]:
    """Return who manages an object, the strongest claim first.

    A controller is the one in the object's owner references, or an ExternalSecret (given for a Secret: those of its
    namespace and target name, see ``targets``) even before it has taken the Secret over. Helm and Argo CD leave labels
    and annotations; a chart that Argo CD renders has no ``meta.helm.sh`` annotations.
    """
    metadata = (obj or {}).get("metadata") or {}
    labels, annotations = metadata.get("labels") or {}, metadata.get("annotations") or {}
    found = [
        Owner("controller", f"{reference['kind']} {reference['name']}")
        for reference in metadata.get("ownerReferences") or []
        if reference.get("controller")
    ]
    if not found:
        found = [Owner("controller", f"ExternalSecret {each['metadata']['name']}") for each in external_secrets]
    if "meta.helm.sh/release-name" in annotations:
        found.append(Owner("helm", annotations["meta.helm.sh/release-name"]))
    elif tracking := annotations.get("argocd.argoproj.io/tracking-id"):
        found.append(Owner("argocd", tracking.partition(":")[0]))
    elif "app.kubernetes.io/instance" in labels and labels.get("app.kubernetes.io/managed-by") == "Helm":
        found.append(Owner("argocd", labels["app.kubernetes.io/instance"]))
    return found


def targets(external_secret: Mapping[str, Any], name: str) -> bool:
    """Tell whether an ExternalSecret writes to the Secret of that name."""
    target = external_secret.get("spec", {}).get("target") or {}
    return (target.get("name") or external_secret["metadata"]["name"]) == name and target.get(
        "creationPolicy"
    ) != "None"
