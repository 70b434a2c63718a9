"""Who else writes to an object."""

import pytest
from ansible_collections.gen3.uploads.plugins.module_utils._k8s.ownership import Owner, owners, targets


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
        ({"labels": {"app.kubernetes.io/instance": "gen3"}}, []),
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
        ({}, True),
        ({"target": {"name": "creds"}}, True),
        ({"target": {"name": "other"}}, False),
        ({"target": {"creationPolicy": "Owner"}}, True),
        ({"target": {"creationPolicy": "None"}}, False),
    ],
)
def test_targets(spec, expected):
    assert targets({"metadata": {"name": "creds"}, "spec": spec}, "creds") is expected


def test_an_external_secret_of_that_name_can_target_another_secret():
    assert not targets({"metadata": {"name": "creds"}, "spec": {"target": {"name": "other"}}}, "creds")
    assert targets({"metadata": {"name": "any"}, "spec": {"target": {"name": "creds"}}}, "creds")
