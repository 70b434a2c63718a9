# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who else writes to a Kubernetes object, what they do to our change, and what our change does to them. Pure functions.

Everything is read from the object's metadata: owner references, labels and annotations (``MARKS``), and
``managedFields``, in which the API server records who wrote which field. In the last there is a trap for others: a
server-side apply that does not force stops at every field that somebody else has changed. ``unclaimed`` takes us out.

Private to the collection gen3.uploads.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.gen3.uploads.plugins.module_utils._core.changes import CREATED_BY, CREATED_BY_VALUE

FIELD_MANAGER = "gen3.uploads"
"""Our name in ``managedFields``."""


@dataclass(frozen=True)
class Effect:
    """What an owner does to a change of ours, and what can be done; ``{}`` stands for the owner's name.

    ``reverts``: it takes the change back by itself, and soon, so that the change is refused.
    """

    reverts: bool
    happens: str
    remedy: str


_AT_ITS_SOURCE = "make the change at its source"

EFFECTS = {
    "controller": Effect(True, "{} manages the object and would overwrite the change within minutes", _AT_ITS_SOURCE),
    "vault": Effect(True, "{} syncs the object from Vault and would overwrite the change within minutes", _AT_ITS_SOURCE),
    "csi": Effect(
        True,
        "{} makes the object and would overwrite the change within minutes (at its next rotation), and deletes the"
        " object with the last pod that mounts it",
        "make the change in its external store",
    ),
    "sealed-secrets": Effect(
        True,
        "{} manages the object and would overwrite the change when it unseals next, which each change of its source and"
        " each start of its controller brings about",
        "seal the change into its source",
    ),
    "flux": Effect(
        True,
        "{} applies its source again at each interval and would overwrite the change within minutes",
        "make the change at its source, or annotate the object there with kustomize.toolkit.fluxcd.io/ssa: IfNotPresent",
    ),
    "config-sync": Effect(True, "{} would overwrite the change within seconds", _AT_ITS_SOURCE),
    "replicator": Effect(True, "{} copies the object from another and would overwrite the change within minutes", _AT_ITS_SOURCE),
    "flux-helm": Effect(
        False,
        "the next upgrade that Flux makes of {} overwrites this change unless its values say the same; with"
        " spec.driftDetection enabled Flux does so within minutes",
        "give the HelmRelease these values, or leave the object out of its driftDetection",
    ),
    "helm": Effect(
        False, "the next helm upgrade of release {} overwrites this change unless its values say the same", "run again after it"
    ),
    "argocd": Effect(
        False,
        "Argo CD overwrites this change at the next sync of {} unless the application's source says the same; with"
        " selfHeal it does so within seconds",
        "let the application ignore the difference (spec.ignoreDifferences)",
    ),
    "secrets-operator": Effect(
        True, "{} syncs the object from its external store and would overwrite the change within minutes", "make the change in its external store"
    ),
    "deployer": Effect(
        False,
        "{} describes the object and overwrites this change at its next run, or with a controller that reconciles within minutes, unless its"
        " source says the same",
        "give its source the same content, or let it ignore this key",
    ),
    "applier": Effect(
        False, "{} holds this key by server-side apply and overwrites this change at its next apply unless its manifest says the same", ""
    ),
}
"""Kind of owner -> its effect."""


@dataclass(frozen=True)
class Owner:
    """Somebody who writes to an object: a ``kind`` of ``EFFECTS``, and the ``name`` that messages call it by."""

    kind: str
    name: str

    @property
    def effect(self) -> Effect:
        return EFFECTS[self.kind]

    @property
    def happens(self) -> str:
        return self.effect.happens.format(self.name)


@dataclass(frozen=True)
class Mark:
    """A label or annotation that an owner leaves, with that ``value`` if one is given; ``name`` may quote the value.

    Where one of ``managers`` (beginnings of names) is in ``managedFields``, these tell whether it holds a certain key.
    """

    kind: str
    part: str
    key: str
    name: str
    value: str | None = None
    managers: tuple[str, ...] = ()


ARGO_INSTANCE = "app.kubernetes.io/instance"
HELM_RELEASE = "meta.helm.sh/release-name"
MANAGED_BY = "app.kubernetes.io/managed-by"

MARKS = (
    Mark("vault", "labels", MANAGED_BY, "the Vault Secrets Operator", "hashicorp-vso"),
    Mark("csi", "labels", "secrets-store.csi.k8s.io/managed", "the Secrets Store CSI driver", "true"),
    Mark("sealed-secrets", "annotations", "sealedsecrets.bitnami.com/managed", "Sealed Secrets", "true"),
    Mark("sealed-secrets", "annotations", "sealedsecrets.bitnami.com/patch", "Sealed Secrets", "true"),
    Mark("replicator", "annotations", "reflector.v1.k8s.emberstack.com/reflects", "Reflector (from {})"),
    Mark("replicator", "annotations", "replicator.v1.mittwald.de/replicate-from", "the replicator (from {})"),
    Mark("config-sync", "annotations", "configmanagement.gke.io/managed", "Config Sync", "enabled", ("configsync",)),
    Mark("secrets-operator", "annotations", "operator.1password.io/item-path", "the 1Password operator"),
    Mark("secrets-operator", "labels", "secrets.doppler.com/subtype", "the Doppler operator"),
    Mark("secrets-operator", "annotations", "secrets.infisical.com/version", "the Infisical operator"),
    Mark("flux", "labels", "kustomize.toolkit.fluxcd.io/name", "Flux's Kustomization {}", None, ("kustomize-controller",)),
    Mark("flux-helm", "labels", "helm.toolkit.fluxcd.io/name", "HelmRelease {}", None, ("helm-controller",)),
    Mark("helm", "annotations", HELM_RELEASE, "{}", None, ("helm",)),
    Mark("argocd", "annotations", "argocd.argoproj.io/tracking-id", "{}", None, ("argocd",)),
    Mark("argocd", "labels", "argocd.argoproj.io/instance", "{}", None, ("argocd",)),
    Mark("deployer", "annotations", "objectset.rio.cattle.io/id", "Rancher Fleet ({})"),
    Mark("deployer", "annotations", "kapp.k14s.io/identity", "kapp"),
    Mark("deployer", "labels", "generate.kyverno.io/policy-name", "Kyverno's policy {}"),
    Mark("deployer", "labels", MANAGED_BY, "Pulumi", "pulumi"),
)
"""What owners leave on an object, the strongest claim first."""

CONTROLLER_GROUPS = {
    "secrets.hashicorp.com": "vault",
    "bitnami.com": "sealed-secrets",
    "external-secrets.io": "controller",
    "secrets.infisical.com": "secrets-operator",
    "onepassword.com": "secrets-operator",
}
"""API groups whose owner references count even where they are not marked as the controller's -> the kind of owner."""

FLUX_LEAVES_IT = {
    "kustomize.toolkit.fluxcd.io/reconcile": {"disabled"},
    "kustomize.toolkit.fluxcd.io/ssa": {"IfNotPresent", "Ignore"},
}
"""Annotations with which Flux's Kustomization leaves an object as it is."""

DEPLOYERS = {"Terraform": "Terraform", "HashiCorp": "Terraform", "pulumi": "Pulumi"}
"""How the names begin that these leave in ``managedFields``, whatever the operation -> who they are; on the object they leave no mark."""

EXTERNAL_SECRETS_MANAGER = "externalsecrets.external-secrets.io/"


def owners(
    obj: Mapping[str, Any] | None, external_secrets: Sequence[Mapping[str, Any]] = (), key: str | None = None
) -> list[Owner]:
    """Return who else writes to an object, or to one key of its data, the strongest claim first.

    ``external_secrets`` are those that claim a Secret even before they have taken it over (see ``targets``).
    """
    metadata = (obj or {}).get("metadata") or {}
    holders = dict(_holders(metadata, key))
    found = [Owner(kind, name) for kind, name in _references(metadata)]
    if not found:
        names = [each["metadata"]["name"] for each in external_secrets]
        found = [
            Owner("controller", f"ExternalSecret {name}")
            for name in names
            if not _lets_go(metadata, key, holders, (EXTERNAL_SECRETS_MANAGER + name,))
        ]
    for mark in MARKS:
        value = (metadata.get(mark.part) or {}).get(mark.key)
        if value is None or mark.value not in (None, value) or mark.kind == "flux" and _left_by_flux(metadata):
            continue
        if mark.kind in {owner.kind for owner in found}:
            continue
        if EFFECTS[mark.kind].reverts and _lets_go(metadata, key, holders, mark.managers):
            continue
        found.append(Owner(mark.kind, mark.name.format(value.partition(":")[0] if mark.kind == "argocd" else value)))
    kinds = {owner.kind for owner in found}
    if "flux-helm" in kinds:
        found = [owner for owner in found if owner.kind != "helm"]
    elif not kinds & {"helm", "argocd"} and (instance := _argo_instance(metadata)):
        found.append(Owner("argocd", instance))
    if not found:
        named = {name for manager in holders for beginning, name in DEPLOYERS.items() if manager.startswith(beginning)}
        found = [Owner("deployer", name) for name in sorted(named)]
    return found or [Owner(*_applier(manager)) for manager, operation in holders.items() if operation == "Apply"]


def targets(external_secret: Mapping[str, Any], name: str, key: str | None = None) -> bool:
    """Tell whether an ExternalSecret writes to the Secret of that name, and there to that key.

    With ``creationPolicy: Merge`` it writes to the keys that it names alone; by ``dataFrom`` and ``templateFrom`` they
    have names that only its source knows.
    """
    spec = external_secret.get("spec", {})
    target = spec.get("target") or {}
    policy = target.get("creationPolicy")
    if (target.get("name") or external_secret["metadata"]["name"]) != name or policy == "None":
        return False
    template = target.get("template") or {}
    if policy != "Merge" or key is None or spec.get("dataFrom") or template.get("templateFrom"):
        return True
    return key in {each.get("secretKey") for each in spec.get("data") or []} | set(template.get("data") or {})


def blocks_others(obj: Mapping[str, Any]) -> bool:
    """Tell whether ``managedFields`` hold a claim of ours with which an apply of somebody else would conflict.

    On what we have made, and nobody else describes, our claim is in nobody's way.
    """
    metadata = obj.get("metadata") or {}
    entries = metadata.get("managedFields") or []
    ours = (metadata.get("annotations") or {}).get(CREATED_BY) == CREATED_BY_VALUE
    return entries != unclaimed(entries) and not (ours and not owners({"metadata": _without_fields(metadata)}))


def unclaimed(entries: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return ``managedFields`` without our claims.

    Where there is no other entry, ours stays with our mark alone: on an object without any the API server takes the
    next apply for the first, and every value that differs for a conflict.
    """
    others = [dict(entry) for entry in entries if entry.get("manager") != FIELD_MANAGER]
    if others or not entries:
        return others
    return [{**entries[0], "fieldsV1": {"f:metadata": {"f:annotations": {f"f:{CREATED_BY}": {}}}}}]


def _references(metadata: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for reference in metadata.get("ownerReferences") or []:
        kind = CONTROLLER_GROUPS.get(reference.get("apiVersion", "").partition("/")[0])
        if kind or reference.get("controller"):
            yield kind or "controller", f"{reference['kind']} {reference['name']}"


def _holders(metadata: Mapping[str, Any], key: str | None) -> Iterator[tuple[str, str]]:
    """Yield (manager, operation) of those who have set a key of the object's data; a chart may do so by ``stringData``."""
    for entry in metadata.get("managedFields") or []:
        fields = entry.get("fieldsV1") or {}
        parts = [fields.get(part) or {} for part in ("f:data", "f:stringData", "f:binaryData")]
        if key is not None and entry.get("manager") != FIELD_MANAGER and any(f"f:{key}" in part for part in parts):
            yield entry.get("manager", ""), entry.get("operation", "")


def _lets_go(metadata: Mapping[str, Any], key: str | None, holders: Mapping[str, str], managers: tuple[str, ...]) -> bool:
    """Tell whether ``managedFields`` know one of the managers, but not as one who has set the key."""
    known = any(entry.get("manager", "").startswith(managers) for entry in metadata.get("managedFields") or [])
    return key is not None and bool(managers) and known and not any(manager.startswith(managers) for manager in holders)


def _left_by_flux(metadata: Mapping[str, Any]) -> bool:
    annotations = metadata.get("annotations") or {}
    return any(annotations.get(key) in values for key, values in FLUX_LEAVES_IT.items())


def _argo_instance(metadata: Mapping[str, Any]) -> str | None:
    """Return the application by which Argo CD tracks an object with the label that charts use too.

    A release of Helm itself has Helm's annotations as well; a chart that Argo CD renders has not.
    """
    labels = metadata.get("labels") or {}
    return labels.get(ARGO_INSTANCE) if labels.get(MANAGED_BY, "Helm") == "Helm" else None


def _applier(manager: str) -> tuple[str, str]:
    """Return the kind and name of somebody of whom only the name in ``managedFields`` is known."""
    for mark in MARKS:
        if mark.managers and manager.startswith(mark.managers) and mark.kind != "helm":
            return mark.kind, mark.name.format(manager)
    return ("controller", manager) if manager.startswith(EXTERNAL_SECRETS_MANAGER) else ("applier", manager)


def _without_fields(metadata: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in metadata.items() if key != "managedFields"}
