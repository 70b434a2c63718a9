"""gen3-helm's chart ssjdispatcher as it is rendered with certain values, and Helm's two ways to apply it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml
from lab.kube import path_of

RENDERED = Path(__file__).parent / "data" / "gen3-helm.yaml"
OWNERS = {"helm": {}, "helm-controller": {"helm.toolkit.fluxcd.io/name": "gen3", "helm.toolkit.fluxcd.io/namespace": "default"}}
"""Who applies it -> the labels that it puts on each object: Helm itself, or Flux for a HelmRelease."""


def rendered(values: dict[str, Any], revision: int = 1, owner: str = "helm") -> list[dict[str, Any]]:
    """Return the manifests with these values below ``ssjdispatcher``; an upgrade has another ``revision``."""
    manifests = list(yaml.safe_load_all(RENDERED.read_text()))
    by_kind = {each["kind"]: each for each in manifests}
    if "indexing" in values:
        by_kind["ConfigMap"]["data"]["job_images"] = json.dumps({"indexing": values["indexing"]})
    template = by_kind["Deployment"]["spec"]["template"]
    if "volumes" in values:
        template["spec"]["volumes"] = values["volumes"]
    template["metadata"]["annotations"]["checksum/config"] = f"revision {revision}"  # what rolls the pods
    for each in manifests:
        each["metadata"]["labels"].update(OWNERS[owner])
    return manifests


def apply(lab, manifests: list[dict[str, Any]], server_side: bool, owner: str = "helm") -> None:
    """Install or upgrade: as Helm 4 does it, which stops at a conflict, or as Helm 3 does it."""
    for manifest in manifests:
        name = manifest["metadata"]["name"]
        if server_side:
            lab.kube.apply(manifest, manager=owner, force=False)
        elif lab.kube.get(manifest["kind"], name) is None:
            lab.kube.create(manifest)
        else:
            lab.kube.request("PATCH", path_of(manifest["kind"], name, "default"), manifest,
                             "application/strategic-merge-patch+json", fieldManager=owner)


def uninstall(lab, manifests: list[dict[str, Any]]) -> None:
    """Remove what the lab's seed has of the chart, so that an install begins from nothing."""
    for manifest in manifests:
        lab.kube.delete(manifest["kind"], manifest["metadata"]["name"], grace_period=0)
