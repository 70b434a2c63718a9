"""What a Deployment tells about how ssjdispatcher is set up."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ansible_collections.gen3.uploads.plugins.module_utils._ssjdispatcher.deployment import (
    Installation,
    KeyOf,
    read_deployment,
    setup_problems,
)

CREDS = {"name": "creds", "secret": {"secretName": "ssjdispatcher-creds"}}
MOUNT = {"name": "creds", "mountPath": "/credentials.json", "subPath": "credentials.json"}
IMAGES = {"name": "JOB_IMAGES", "valueFrom": {"configMapKeyRef": {"name": "manifest-ssjdispatcher", "key": "job_images"}}}
NAMESPACE = {"name": "GEN3_NAMESPACE", "value": "gen3"}


def deployment(name="ssjdispatcher", env=(IMAGES, NAMESPACE), mounts=(MOUNT,), volumes=(CREDS,), account="sa", **spec):
    container = {"name": "ssjdispatcher", "env": list(env), "volumeMounts": list(mounts)}
    pod = {"containers": [{"name": "sidecar"}, container], "volumes": list(volumes), "serviceAccountName": account}
    return {"metadata": {"name": name, "namespace": "gen3"}, "spec": {"template": {"spec": pod}, **spec}}


def read(*args, config_maps=None, **kwargs):
    return read_deployment(deployment(*args, **kwargs), lambda name: (config_maps or {}).get(name))


def test_the_installation_of_gen3_helm():
    region = {"name": "AWS_REGION", "value": "us-east-1"}
    assert read(env=[IMAGES, NAMESPACE, region], replicas=2) == Installation(
        deployment="ssjdispatcher",
        flavour="gen3-helm",
        replicas=2,
        service_account="sa",
        job_namespace="gen3",
        secret=KeyOf("ssjdispatcher-creds", "credentials.json"),
        job_images=KeyOf("manifest-ssjdispatcher", "job_images"),
        region="us-east-1",
        job_num_max=10,
    )


def test_the_installation_of_cloud_automation():
    env = [
        IMAGES,
        {"name": "GEN3_NAMESPACE", "valueFrom": {"fieldRef": {"fieldPath": "metadata.namespace"}}},
        {"name": "JOB_NUM_MAX", "valueFrom": {"configMapKeyRef": {"name": "manifest-global", "key": "dispatcher_job_num"}}},
    ]
    found = read("ssjdispatcher-deployment", env, config_maps={"manifest-global": {"data": {"dispatcher_job_num": "25"}}})
    assert (found.flavour, found.job_namespace, found.job_num_max) == ("cloud-automation", "gen3", 25)


def test_another_installation():
    found = read("mine", [], account=None)
    assert (found.flavour, found.service_account, found.job_namespace) == ("other", "default", None)
    assert (found.region, found.job_images) == (None, None)


@pytest.mark.parametrize("text", ["many", "-1", "", "١٢"])
def test_a_limit_that_is_no_number_counts_as_ten(text):
    assert read(env=[{"name": "JOB_NUM_MAX", "value": text}]).job_num_max == 10


def test_a_limit_from_a_missing_config_map_counts_as_ten():
    env = [{"name": "JOB_NUM_MAX", "valueFrom": {"configMapKeyRef": {"name": "none", "key": "k"}}}]
    assert read(env=env).job_num_max == 10


ITEMS = {"name": "creds", "secret": {"secretName": "s", "items": [{"key": "k", "path": "credentials.json"}]}}
OTHER_ITEMS = {"name": "creds", "secret": {"secretName": "s", "items": [{"key": "k", "path": "other.json"}]}}
CRED_FILE = {"name": "CRED_FILE", "value": "/etc/ssj/creds.json"}


@pytest.mark.parametrize(
    "options, secret",
    [
        ({}, KeyOf("ssjdispatcher-creds", "credentials.json")),
        ({"mounts": [{**MOUNT, "subPath": "other"}]}, KeyOf("ssjdispatcher-creds", "other")),
        ({"volumes": [ITEMS]}, KeyOf("s", "k")),
        ({"volumes": [OTHER_ITEMS]}, None),
        ({"mounts": []}, None),
        ({"volumes": [{"name": "creds", "configMap": {"name": "x"}}]}, None),
        ({"env": [CRED_FILE]}, None),
        ({"env": [CRED_FILE], "mounts": [{"name": "creds", "mountPath": "/etc/ssj"}]}, KeyOf("ssjdispatcher-creds", "creds.json")),
        ({"env": [CRED_FILE], "mounts": [{"name": "creds", "mountPath": "/etc/ssj2"}]}, None),
        ({"mounts": [{"name": "creds", "mountPath": "/"}]}, KeyOf("ssjdispatcher-creds", "credentials.json")),
    ],
    ids=["file", "other key", "items", "other items", "no mount", "config map", "CRED_FILE", "folder", "other folder", "root"],
)
def test_the_secret_that_is_mounted_as_the_configuration(options, secret):
    assert read(**options).secret == secret


@pytest.mark.parametrize(
    "changes, words",
    [
        ({}, None),
        ({"deployment": None}, "there is no ssjdispatcher in namespace gen3"),
        ({"secret": None}, "mounts no Secret"),
        ({"job_images": '{"indexing": "x"}'}, "JOB_IMAGES to a fixed text"),
        ({"job_images": ""}, "JOB_IMAGES to a fixed text"),
        ({"job_images": None}, None),
        ({"job_namespace": None}, "does not set GEN3_NAMESPACE"),
    ],
)
def test_setup_problems(changes, words):
    installation = replace(read(), **changes)
    problems = setup_problems(installation, "gen3")
    assert [words in problem for problem in problems] == ([True] if words else [])
