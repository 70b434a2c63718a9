# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rights of ssjdispatcher and of its Jobs: ServiceAccounts, Role and RoleBindings. Pure functions.

What exists already is changed as little as possible: annotations and pull secrets of ServiceAccounts. Roles and bindings
of others never are, since the role of a binding cannot be changed, and its subjects would be replaced.

Private to the collection gen3.uploads.
"""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.gen3.uploads.plugins.module_utils._core.changes import CREATED_BY, CREATED_BY_VALUE, Change
from ansible_collections.gen3.uploads.plugins.module_utils._core.names import describe

JOB_SERVICE_ACCOUNT = "ssjdispatcher-job-sa"
"""The ServiceAccount of a Job whose JOBS entry names no other."""

JOBS_ROLE = "ssjdispatcher-jobs"

JOB_SECRET_ROLE = "ssjdispatcher-job-minio"
"""Lets the Jobs themselves read one Secret, which has their key to MinIO."""

ADMIN_BINDING = "ssjdispatcher-binding"
"""The name under which gen3-helm, cloud-automation and the manual procedure bind ClusterRole admin."""

IRSA = "eks.amazonaws.com/role-arn"

RBAC_GROUP = "rbac.authorization.k8s.io"

RBAC_CONTENT = ("rules", "roleRef", "subjects")

HELM_MARKERS = ("meta.helm.sh/release-name", "meta.helm.sh/release-namespace")


@dataclass(frozen=True)
class Access:
    """What an operator desires: IAM roles (IRSA) of the two ServiceAccounts, pull secrets, the admin binding, and the Secret
    that the Jobs may read.

    ``kept_secrets`` are the Secrets, and ``kept_readers`` the ServiceAccounts, that the Role and its binding hold for entries of another
    run.
    """

    role_arn: str | None = None
    job_role_arn: str | None = None
    image_pull_secrets: Sequence[str] = ()
    bind_cluster_admin: bool = False
    job_secret: str | None = None
    kept_secrets: Sequence[str] = ()
    kept_readers: Sequence[str] = ()

    def includes(self, definition: Mapping[str, Any]) -> bool:
        """Tell whether an object is desired; all but those by these names always are."""
        optional = {ADMIN_BINDING: self.bind_cluster_admin, JOB_SECRET_ROLE: self.job_secret is not None or bool(self.kept_secrets)}
        return optional.get(definition["metadata"]["name"], True)


@dataclass
class AccessPlan:
    """Objects to ``apply`` (created, or patched by JSON merge patch) and to ``delete``, and what forbids it."""

    apply: list[dict[str, Any]] = field(default_factory=list)
    delete: list[dict[str, Any]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


Live = Mapping[tuple[str, str], "Mapping[str, Any] | None"]
"""(kind, name) -> the object as it is; None if it does not exist."""


def definitions(service_account: str | None, namespace: str, job_namespace: str, desired: Access,
                job_accounts: Sequence[str] = (JOB_SERVICE_ACCOUNT,)) -> list[dict[str, Any]]:
    """Return all objects as they should be: ServiceAccounts, and the Role and RoleBindings for the Jobs' namespace.

    ``job_accounts`` are the ServiceAccounts of the Jobs, which their JOBS entries may name. Some of the objects may not be desired
    for (see ``Access.includes``). Without a ``service_account`` (there is no Deployment) they are only good for taking them away.
    """
    rule = {"apiGroups": ["batch"], "resources": ["jobs"], "verbs": ["create", "get", "list", "delete"]}
    secrets = sorted({*filter(None, [desired.job_secret]), *desired.kept_secrets})
    secret_rule = {"apiGroups": [""], "resources": ["secrets"], "resourceNames": secrets, "verbs": ["get"]}
    subject = {"kind": "ServiceAccount", "name": service_account, "namespace": namespace}
    accounts_that_read = sorted({*(job_accounts if desired.job_secret else ()), *desired.kept_readers})
    readers = [{"kind": "ServiceAccount", "name": name, "namespace": job_namespace} for name in accounts_that_read]
    accounts = [_service_account(name, job_namespace, desired.job_role_arn, desired.image_pull_secrets) for name in job_accounts]
    if service_account is not None:
        accounts.append(_service_account(service_account, namespace, desired.role_arn, ()))
    return [
        *accounts,
        _object(f"{RBAC_GROUP}/v1", "Role", JOBS_ROLE, job_namespace, rules=[rule]),
        _binding(JOBS_ROLE, job_namespace, "Role", JOBS_ROLE, [subject]),
        _object(f"{RBAC_GROUP}/v1", "Role", JOB_SECRET_ROLE, job_namespace, rules=[secret_rule]),
        _binding(JOB_SECRET_ROLE, job_namespace, "Role", JOB_SECRET_ROLE, readers),
        _binding(ADMIN_BINDING, job_namespace, "ClusterRole", "admin", [subject]),
    ]


def plan_present(desired: Sequence[Mapping[str, Any]], live: Live, helm: Mapping[str, Any]) -> AccessPlan:
    """Return what has to be done so that all ``desired`` objects are there.

    ``helm`` are Helm's labels and annotations (see ``helm_markers``): a chart describes the ServiceAccounts, and would
    refuse to install over some that do not carry them.
    """
    plan = AccessPlan()
    for definition in desired:
        kind, name = definition["kind"], definition["metadata"]["name"]
        current = live[kind, name]
        if current is None:
            plan.apply.append(_marked(definition, helm if kind == "ServiceAccount" else {}))
        elif kind == "ServiceAccount":
            if patch := _service_account_patch(definition, current):
                plan.apply.append(patch)
        elif is_ours(current):
            if any(current.get(key) != value for key, value in definition.items() if key in RBAC_CONTENT):
                plan.apply.append(dict(definition))
        elif not _contains(current, definition):
            plan.problems.append(
                f"{_name(definition)} exists, lacks what is needed and is not ours to change; remove or complete it."
            )
    return plan


def plan_absent(desired: Sequence[Mapping[str, Any]], live: Live, former: Mapping[str, Mapping[str, Any]] | None = None) -> AccessPlan:
    """Return what has to be done so that nothing of ``desired`` that we made is left: objects, annotations, pull secrets.

    ``former`` is ServiceAccount of others -> what it was before our first change (see ``before_first_change``). One of which nothing is
    kept we have not changed.
    """
    plan = AccessPlan()
    for definition in desired:
        current = live[definition["kind"], definition["metadata"]["name"]]
        if current is None:
            continue
        if is_ours(current):
            plan.delete.append(_bare(definition))
        elif definition["kind"] == "ServiceAccount" and (before := (former or {}).get(definition["metadata"]["name"])):
            if patch := _withdrawal(definition, current, before):
                plan.apply.append(patch)
    return plan


def before_first_change(changes: Sequence[Change], live: Live) -> dict[str, dict[str, Any]]:
    """Return ServiceAccount of others -> its role and pull secrets now, for each that the changes are for."""
    names = [each.parameters["name"] for each in changes if each.operation == "merge_patch" and each.parameters["kind"] == "ServiceAccount"]
    found = {}
    for name in names:
        account = live["ServiceAccount", name]
        if account and not is_ours(account):
            role = (account["metadata"].get("annotations") or {}).get(IRSA)
            found[name] = {"role": role, "imagePullSecrets": list(account.get("imagePullSecrets") or [])}
    return found


def changes(plan: AccessPlan, live: Live) -> list[Change]:
    """Return the writes of a plan; what exists is only changed or deleted as it was when the plan was made."""
    found = []
    for definition in plan.apply:
        kind, metadata = definition["kind"], definition["metadata"]
        current = live[kind, metadata["name"]]
        if current is None:
            found.append(Change("create", _name(definition), None, {}, _content(definition), "create", {"manifest": definition}))
            continue
        target = {"kind": kind, "name": metadata["name"], "namespace": metadata["namespace"]}
        version = {"resourceVersion": current["metadata"]["resourceVersion"]}
        patch = {**definition, "metadata": {**metadata, **version}}
        before = {key: current.get(key) for key in _content(definition) if key != "annotations"}
        if "annotations" in metadata:
            present = current["metadata"].get("annotations") or {}
            before["annotations"] = {key: present.get(key) for key in metadata["annotations"]}
        found.append(Change("update", _name(definition), None, before, _content(definition), "merge_patch", {**target, "patch": patch}))
    for definition in plan.delete:
        metadata = definition["metadata"]
        current = live[definition["kind"], metadata["name"]]
        target = {"kind": definition["kind"], "name": metadata["name"], "namespace": metadata["namespace"]}
        version = current["metadata"]["resourceVersion"]
        found.append(Change("delete", _name(definition), None, {}, {}, "delete", {**target, "resource_version": version}))
    return found


def target_of(change: Change) -> tuple[str, str]:
    """Return kind and name of what a change is for."""
    manifest = change.parameters.get("manifest")
    return (manifest["kind"], manifest["metadata"]["name"]) if manifest else (change.parameters["kind"], change.parameters["name"])


def _content(definition: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the diff shows of an object."""
    content = {key: value for key, value in definition.items() if key not in ("apiVersion", "kind", "metadata")}
    annotations = definition["metadata"].get("annotations")
    return {**content, **({"annotations": annotations} if annotations else {})}


def still_needed(objects: Sequence[Mapping[str, Any]], live: Live, accounts: Sequence[str],
                 has_other_rights: bool) -> list[Mapping[str, Any]]:
    """Return those of the objects that we made and that the Jobs of other entries need.

    That are the ServiceAccounts of their Jobs (``accounts``), and ssjdispatcher's right to make Jobs unless it
    ``has_other_rights``, by a binding of somebody else.
    """
    needed = {*accounts, *(() if has_other_rights else (JOBS_ROLE,))}
    return [each for each in objects if each["metadata"]["name"] in needed
            and (current := live[each["kind"], each["metadata"]["name"]]) and is_ours(current)]


def bindings_of(service_account: str | None, namespace: str, bindings: Sequence[Mapping[str, Any]]) -> list[dict]:
    """Return the RoleBindings that give rights to the ServiceAccount: name, role (``ClusterRole admin``), created_by_us."""
    return [
        {
            "name": binding["metadata"]["name"],
            "role": f"{binding['roleRef']['kind']} {binding['roleRef']['name']}",
            "created_by_us": is_ours(binding),
        }
        for binding in bindings
        if any(
            subject["kind"] == "ServiceAccount"
            and subject["name"] == service_account
            and subject.get("namespace", namespace) == namespace
            for subject in binding.get("subjects") or []
        )
    ]


def helm_markers(deployment: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return the labels and annotations that make an object part of the Helm release of the Deployment; {} without one."""
    annotations = ((deployment or {}).get("metadata") or {}).get("annotations") or {}
    if not all(annotations.get(marker) for marker in HELM_MARKERS):
        return {}
    return {
        "labels": {"app.kubernetes.io/managed-by": "Helm"},
        "annotations": {marker: annotations[marker] for marker in HELM_MARKERS},
    }


def is_ours(current: Mapping[str, Any]) -> bool:
    """Tell whether we created the object."""
    return (current["metadata"].get("annotations") or {}).get(CREATED_BY) == CREATED_BY_VALUE


def _object(api_version: str, kind: str, name: str, namespace: str, **content: Any) -> dict[str, Any]:
    return {"apiVersion": api_version, "kind": kind, "metadata": {"name": name, "namespace": namespace}, **content}


def _service_account(name: str, namespace: str, role_arn: str | None, pull_secrets: Sequence[str]) -> dict[str, Any]:
    account = _object("v1", "ServiceAccount", name, namespace)
    if role_arn:
        account["metadata"]["annotations"] = {IRSA: role_arn}
    if pull_secrets:
        account["imagePullSecrets"] = [{"name": secret} for secret in pull_secrets]
    return account


def _binding(name: str, namespace: str, kind: str, role: str, subjects: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    reference = {"apiGroup": RBAC_GROUP, "kind": kind, "name": role}
    return _object(f"{RBAC_GROUP}/v1", "RoleBinding", name, namespace, roleRef=reference, subjects=[*map(dict, subjects)])


def _marked(definition: Mapping[str, Any], helm: Mapping[str, Any]) -> dict[str, Any]:
    metadata = definition["metadata"]
    annotations = {**metadata.get("annotations", {}), **helm.get("annotations", {}), CREATED_BY: CREATED_BY_VALUE}
    labels = {"labels": helm["labels"]} if helm else {}
    return {**definition, "metadata": {**metadata, **labels, "annotations": annotations}}


def _bare(definition: Mapping[str, Any]) -> dict[str, Any]:
    metadata = {key: definition["metadata"][key] for key in ("name", "namespace")}
    return {"apiVersion": definition["apiVersion"], "kind": definition["kind"], "metadata": metadata}


def _service_account_patch(definition: Mapping[str, Any], current: Mapping[str, Any]) -> dict[str, Any] | None:
    present = current.get("imagePullSecrets") or []
    missing = [secret for secret in definition.get("imagePullSecrets", []) if secret not in present]
    annotations = definition["metadata"].get("annotations", {})
    if _contains(current, {"metadata": definition["metadata"]}):
        annotations = {}
    return _patch(definition, annotations, [*present, *missing] if missing else None)


def _withdrawal(definition: Mapping[str, Any], current: Mapping[str, Any], before: Mapping[str, Any]) -> dict[str, Any] | None:
    present = current.get("imagePullSecrets") or []
    kept = [secret for secret in present if secret in before["imagePullSecrets"] or secret not in definition.get("imagePullSecrets", [])]
    annotations = {key: before["role"] for key in definition["metadata"].get("annotations", {})}
    if not _contains(current, {"metadata": definition["metadata"]}):
        annotations = {}
    return _patch(definition, annotations, kept if kept != present else None)


def _patch(definition: Mapping[str, Any], annotations: Mapping[str, Any], pull_secrets: list | None) -> dict | None:
    patch = _bare(definition)
    if annotations:
        patch["metadata"]["annotations"] = dict(annotations)
    if pull_secrets is not None:
        patch["imagePullSecrets"] = pull_secrets
    return patch if annotations or pull_secrets is not None else None


def _contains(current: Any, desired: Any) -> bool:
    """Tell whether all that is wanted is there; more may be."""
    if isinstance(desired, Mapping):
        return isinstance(current, Mapping) and all(_contains(current.get(key), desired[key]) for key in desired)
    if isinstance(desired, list):
        return isinstance(current, list) and all(any(_contains(item, each) for item in current) for each in desired)
    return current == desired


def _name(definition: Mapping[str, Any]) -> str:
    return describe(definition["kind"], definition["metadata"]["name"], definition["metadata"]["namespace"])
