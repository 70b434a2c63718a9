"""Who else writes to an object."""

import pytest
from ansible_collections.gen3.uploads.plugins.module_utils._core.changes import CREATED_BY
from ansible_collections.gen3.uploads.plugins.module_utils._k8s.ownership import (
    CONTROLLER_GROUPS,
    EFFECTS,
    FIELD_MANAGER,
    MARKS,
    Owner,
    blocks_others,
    owners,
    targets,
    unclaimed,
)


def owner_reference(**fields):
    return {"ownerReferences": [{"kind": "ExternalSecret", "name": "es", **fields}]}


ARGO_TRACKING = {"argocd.argoproj.io/tracking-id": "commons:/Secret:default/creds"}
HELM_LABELS = {"app.kubernetes.io/managed-by": "Helm", "app.kubernetes.io/instance": "gen3"}


@pytest.mark.parametrize(
    ("metadata", "expected"),
    [
        ({}, []),
        (owner_reference(controller=True), [Owner("controller", "ExternalSecret es")]),
        (owner_reference(), []),
        (
            {"annotations": {"meta.helm.sh/release-name": "gen3"}, "labels": HELM_LABELS},
            [Owner("helm", "gen3")],
        ),
        ({"annotations": ARGO_TRACKING, "labels": HELM_LABELS}, [Owner("argocd", "commons")]),
        ({"labels": HELM_LABELS}, [Owner("argocd", "gen3")]),
        ({"labels": {"app.kubernetes.io/instance": "gen3"}}, [Owner("argocd", "gen3")]),
        ({"labels": {"argocd.argoproj.io/instance": "commons"}}, [Owner("argocd", "commons")]),
        # Argo CD has taken over what Helm had installed.
        (
            {"annotations": {**ARGO_TRACKING, "meta.helm.sh/release-name": "gen3"}},
            [Owner("helm", "gen3"), Owner("argocd", "commons")],
        ),
        ({"labels": {"app.kubernetes.io/instance": "gen3", "app.kubernetes.io/managed-by": "Kustomize"}}, []),
        (
            {"labels": {"kustomize.toolkit.fluxcd.io/name": "commons", "kustomize.toolkit.fluxcd.io/namespace": "flux"}},
            [Owner("flux", "Flux's Kustomization commons")],
        ),
        (
            {"labels": {"kustomize.toolkit.fluxcd.io/name": "commons"},
             "annotations": {"kustomize.toolkit.fluxcd.io/ssa": "IfNotPresent"}},
            [],
        ),
        (
            {"labels": {**HELM_LABELS, "helm.toolkit.fluxcd.io/name": "gen3"},
             "annotations": {"meta.helm.sh/release-name": "gen3"}},
            [Owner("flux-helm", "HelmRelease gen3")],
        ),
        ({"labels": {"app.kubernetes.io/managed-by": "hashicorp-vso"}}, [Owner("vault", "the Vault Secrets Operator")]),
        ({"annotations": {"operator.1password.io/item-path": "vaults/v/items/i"}}, [Owner("secrets-operator", "the 1Password operator")]),
        ({"labels": {"secrets.doppler.com/subtype": "dopplerSecret"}}, [Owner("secrets-operator", "the Doppler operator")]),
        ({"annotations": {"secrets.infisical.com/version": "v1"}}, [Owner("secrets-operator", "the Infisical operator")]),
        (
            {"ownerReferences": [{"kind": "OnePasswordItem", "name": "creds", "apiVersion": "onepassword.com/v1"}]},
            [Owner("secrets-operator", "OnePasswordItem creds")],
        ),
        ({"annotations": {"objectset.rio.cattle.io/id": "commons"}}, [Owner("deployer", "Rancher Fleet (commons)")]),
        ({"annotations": {"kapp.k14s.io/identity": "v1;default//Secret/creds;v1"}}, [Owner("deployer", "kapp")]),
        ({"labels": {"generate.kyverno.io/policy-name": "copy"}}, [Owner("deployer", "Kyverno's policy copy")]),
        ({"labels": {"app.kubernetes.io/managed-by": "pulumi"}}, [Owner("deployer", "Pulumi")]),
        (
            {"labels": {"app.kubernetes.io/managed-by": "hashicorp-vso"}, "ownerReferences": [
                {"apiVersion": "secrets.hashicorp.com/v1beta1", "kind": "VaultStaticSecret", "name": "creds"}]},
            [Owner("vault", "VaultStaticSecret creds")],
        ),
        ({"labels": {"secrets-store.csi.k8s.io/managed": "true"}}, [Owner("csi", "the Secrets Store CSI driver")]),
        ({"annotations": {"sealedsecrets.bitnami.com/managed": "true"}}, [Owner("sealed-secrets", "Sealed Secrets")]),
        (
            {"ownerReferences": [{"apiVersion": "bitnami.com/v1alpha1", "kind": "SealedSecret", "name": "creds", "controller": True}]},
            [Owner("sealed-secrets", "SealedSecret creds")],
        ),
        # An owner that only waits for the object's end.
        ({"ownerReferences": [{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "r"}]}, []),
        (
            {**owner_reference(controller=True), "annotations": {"meta.helm.sh/release-name": "gen3"}},
            [Owner("controller", "ExternalSecret es"), Owner("helm", "gen3")],
        ),
    ],
)
def test_owners(metadata, expected):
    assert owners({"metadata": metadata}) == expected


def test_an_external_secret_owns_what_it_has_not_made_yet():
    assert owners(None, [{"metadata": {"name": "es"}}]) == [Owner("controller", "ExternalSecret es")]


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({"target": {"creationPolicy": "Merge"}, "data": [{"secretKey": "other"}]}, False),
        ({"target": {"creationPolicy": "Merge"}, "data": [{"secretKey": "c.json"}]}, True),
        ({"target": {"creationPolicy": "Merge", "template": {"data": {"c.json": "{{ .x }}"}}}}, True),
        ({"target": {"creationPolicy": "Merge"}, "dataFrom": [{"extract": {"key": "x"}}]}, True),
        ({"target": {"creationPolicy": "Orphan"}, "data": [{"secretKey": "other"}]}, True),
        ({}, True),
        ({"target": {"name": "creds"}}, True),
        ({"target": {"name": "other"}}, False),
        ({"target": {"creationPolicy": "Owner"}}, True),
        ({"target": {"creationPolicy": "None"}}, False),
    ],
)
def test_targets(spec, expected):
    assert targets({"metadata": {"name": "creds"}, "spec": spec}, "creds", "c.json") is expected


def test_an_external_secret_of_that_name_can_target_another_secret():
    assert not targets({"metadata": {"name": "creds"}, "spec": {"target": {"name": "other"}}}, "creds")
    assert targets({"metadata": {"name": "any"}, "spec": {"target": {"name": "creds"}}}, "creds")


def held(*entries, part="f:data", **metadata):
    """An object whose fields were set by (manager, operation, key)."""
    fields = [{"manager": manager, "operation": operation, "fieldsV1": {part: {".": {}, f"f:{key}": {}}}}
              for manager, operation, key in entries]
    return {"metadata": {**metadata, "managedFields": fields}}


FLUX = {"labels": {"kustomize.toolkit.fluxcd.io/name": "commons"}}
MERGE = [{"metadata": {"name": "es"}}]


@pytest.mark.parametrize(
    ("obj", "external_secrets", "expected"),
    [
        (held(("kubectl", "Apply", "c.json")), [], [Owner("applier", "kubectl")]),
        (held(("kubectl", "Apply", "c.json"), part="f:stringData"), [], [Owner("applier", "kubectl")]),
        (held(("kubectl", "Apply", "other")), [], []),
        (held(("kubectl-edit", "Update", "c.json")), [], []),
        (held(("HashiCorp", "Update", "c.json")), [], [Owner("deployer", "Terraform")]),
        (held(("Terraform", "Apply", "c.json")), [], [Owner("deployer", "Terraform")]),
        (held(("Terraform", "Apply", "other")), [], []),
        (held(("pulumi-kubernetes-1a2b", "Apply", "c.json")), [], [Owner("deployer", "Pulumi")]),
        (held((FIELD_MANAGER, "Update", "c.json")), [], []),
        (held(("kustomize-controller", "Apply", "c.json")), [], [Owner("flux", "Flux's Kustomization kustomize-controller")]),
        (held(("argocd-controller", "Apply", "c.json")), [], [Owner("argocd", "argocd-controller")]),
        # Flux holds the object, but not this key.
        (held(("kustomize-controller", "Apply", "other"), **FLUX), [], []),
        (held(("kustomize-controller", "Apply", "c.json"), **FLUX), [], [Owner("flux", "Flux's Kustomization commons")]),
        # By dataFrom the keys have names that only the source knows, until they are there.
        (held(("externalsecrets.external-secrets.io/es", "Apply", "other")), MERGE, []),
        (held(("externalsecrets.external-secrets.io/es", "Apply", "c.json")), MERGE, [Owner("controller", "ExternalSecret es")]),
    ],
)
def test_owners_of_a_key(obj, external_secrets, expected):
    assert owners(obj, external_secrets, "c.json") == expected


def test_every_mark_has_an_effect():
    assert {mark.kind for mark in MARKS} <= EFFECTS.keys() and set(CONTROLLER_GROUPS.values()) <= EFFECTS.keys()


OURS = {"manager": FIELD_MANAGER, "operation": "Update", "fieldsV1": {"f:data": {"f:c.json": {}}}}
HELM = {"manager": "helm", "operation": "Apply"}


@pytest.mark.parametrize(
    ("metadata", "expected"),
    [
        ({}, False),
        ({"managedFields": [HELM]}, False),
        ({"managedFields": [HELM, OURS]}, True),
        # Of what we have made nobody else takes notice, unless it is part of a release.
        ({"managedFields": [OURS], "annotations": {CREATED_BY: "gen3.uploads"}}, False),
        ({"managedFields": [OURS], "annotations": {CREATED_BY: "gen3.uploads", "meta.helm.sh/release-name": "gen3"}}, True),
    ],
)
def test_what_is_in_the_way_of_others(metadata, expected):
    assert blocks_others({"metadata": metadata}) is expected


def test_our_claims_go_and_those_of_others_stay():
    assert unclaimed([HELM, OURS]) == [HELM] and unclaimed([]) == []
    (left,) = unclaimed([OURS])
    assert left["fieldsV1"] == {"f:metadata": {"f:annotations": {f"f:{CREATED_BY}": {}}}} and unclaimed([left]) == [left]
