"""The settings of ssjdispatcher, and what they mean for its documents."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml
from ansible_collections.gen3.uploads.plugins.module_utils._ssjdispatcher import helm_values, jobs
from ansible_collections.gen3.uploads.plugins.module_utils._ssjdispatcher.settings import Settings, in_the_users_words, problems
from ansible_collections.gen3.uploads.plugins.modules import ssjdispatcher

ROLE = Path(__file__).resolve().parents[3] / "roles" / "ssjdispatcher"
DEFAULTS = yaml.safe_load((ROLE / "defaults" / "main.yml").read_text())
SPEC = yaml.safe_load((ROLE / "meta" / "argument_specs.yml").read_text())["argument_specs"]["main"]["options"]
(TASK,) = [task["gen3.uploads.ssjdispatcher"] for task in yaml.safe_load((ROLE / "tasks" / "main.yml").read_text())
           if "gen3.uploads.ssjdispatcher" in task]
FILE = "minio_ca_file"  # the role reads it, and the module gets its content
S3_BUCKET, MINIO_BUCKET = {"name": "gen3-bucket"}, {"name": "local", "storage": "minio"}
URL = "https://sqs.us-east-1.amazonaws.com/123456789012/Gen3Queue"
MINIO = {"buckets": [MINIO_BUCKET], "minio_endpoint_url": "https://minio:9000", "minio_access_key_id": "id", "minio_secret_access_key": "s"}


def test_role_and_module_have_the_same_options():
    options = {"minio_ca_certificate" if name == FILE else name for name in (n.removeprefix("ssjdispatcher_") for n in SPEC)}
    assert set(DEFAULTS) == set(SPEC)
    assert options == set(ssjdispatcher.OPTIONS) == set(TASK)


@pytest.mark.parametrize("name", [name for name in ssjdispatcher.OPTIONS if name != "minio_ca_certificate"])
def test_defaults_and_choices_are_the_same(name):
    option, documented = ssjdispatcher.OPTIONS[name], SPEC[f"ssjdispatcher_{name}"]
    default, own = option.get("default"), getattr(Settings(), name)
    assert DEFAULTS[f"ssjdispatcher_{name}"] == default == (list(own) if isinstance(own, tuple) else own)
    assert (documented["type"], documented.get("choices")) == (option["type"], option.get("choices"))
    assert documented.get("no_log", False) == option.get("no_log", False) or option.get("no_log") is False


@pytest.mark.parametrize(("settings", "named"), [
    ({}, []),
    ({"buckets": [S3_BUCKET]}, ["queue_url"]),
    ({"buckets": [MINIO_BUCKET]}, ["minio_endpoint_url", "minio_access_key_id", "minio_secret_access_key"]),
    ({**MINIO, "minio_credentials": "secret_ref"}, ["minio_secret_ref"]),
    ({"buckets": [S3_BUCKET], "queue_url": URL, "aws_credentials": "variables"}, ["region", "aws_access_key_id", "aws_secret_access_key"]),
    ({"queue_url": URL, "aws_credentials": "secret_ref", "region": "r"}, ["aws_secret_ref"]),
    ({**MINIO, "aws_credentials": "variables"}, []),
    ({"buckets": [S3_BUCKET], "state": "absent"}, []),
])
def test_what_is_needed_and_not_set_is_told_all_at_once(settings, named):
    found = list(problems(Settings(**settings), "ssjdispatcher_"))
    assert [sentence.split()[0] for sentence in found] == [f"ssjdispatcher_{name}" for name in named]


def test_messages_name_what_the_user_has_set():
    names = {"region": "uploads_region"}
    assert in_the_users_words("ssjdispatcher_region and ssjdispatcher_image of ssjdispatcher_info", names) == (
        "uploads_region and ssjdispatcher_image of ssjdispatcher_info")


def test_the_playbooks_name_each_variable_that_they_hand_on():
    text = (ROLE.parents[1] / "playbooks" / "vars" / "roles.yml").read_text()
    handed_on = dict(re.findall(r'^ssjdispatcher_(\w+): (?:>-\n )?"?\{\{ (uploads_\w+) (?:\||\}\})', text, re.MULTILINE))
    handed_on |= {"buckets": "uploads_buckets"}
    assert len(handed_on) > 20 and yaml.safe_load(text)["ssjdispatcher_variable_names"] == handed_on


def test_an_empty_text_is_not_set():
    params = {name: option.get("default") for name, option in ssjdispatcher.OPTIONS.items()}
    assert Settings.from_params({**params, "queue_url": "", "image": ""}) == Settings.from_params(params)


def test_the_entry_of_each_storage():
    settings = Settings(**{**MINIO, "buckets": [S3_BUCKET, MINIO_BUCKET], "queue_url": URL, "region": "r", "deadline": 60,
                           "indexd_password": "p", "minio_ca_certificate": "PEM"})
    changes = jobs.credentials_changes(settings)
    s3, minio = changes["merge"]["JOBS"]
    assert (s3["name"], s3["pattern"], s3["DeadLine"]) == ("indexing", "^s3://(gen3-bucket)/.+", 60) and "RequestCPU" not in s3
    assert (minio["name"], minio["pattern"]) == ("indexing-minio", "^s3://(local)/.+")
    assert s3["imageConfig"]["password"] == {"value_from": [{"sensitive": "indexd_password", "for_env": True}]}
    assert minio["imageConfig"].pop("s3") == {
        "endpoint_url": "https://minio:9000", "region": "us-east-1", "ca_bundle": "PEM", "access_key_id": "id",
        "secret_access_key": {"value_from": {"sensitive": "minio_secret_access_key", "for_env": True}}}
    assert minio["imageConfig"] == s3["imageConfig"] and "username" not in s3["imageConfig"]
    assert changes["merge"]["AWS"] == {"region": "r"} and changes["merge"]["SQS"] == {"url": URL}
    assert changes["remove"] == [["JOBS", {"name": "indexing-minio"}, "imageConfig", "s3", "secret_ref"]]
    assert jobs.sensitive_values(settings) == {"indexd_password": "p", "minio_secret_access_key": "s"}
    assert jobs.images_changes(settings) == {"defaults": {"indexing": jobs.STOCK_IMAGE}, "merge": {}, "remove": []}


@pytest.mark.parametrize(("more", "keys"), [
    ({}, {}),
    ({"aws_credentials": "ambient"}, {}),
    ({"aws_credentials": "variables"}, {name: {"value_from": {"sensitive": name}} for name in ("aws_access_key_id", "aws_secret_access_key")}),
    ({"aws_credentials": "secret_ref", "aws_secret_ref": {"name": "uploads", "access_key_id_key": "id"}, "namespace": "gen3"},
     {"aws_access_key_id": {"value_from": {"secret": "uploads", "namespace": "gen3", "key": "id"}},
      "aws_secret_access_key": {"value_from": {"secret": "uploads", "namespace": "gen3", "key": "aws_secret_access_key"}}}),
])
def test_the_keys_for_aws(more, keys):
    settings = Settings(**{"buckets": [S3_BUCKET], "queue_url": URL, "region": "r", **more})
    assert jobs.credentials_changes(settings)["merge"]["AWS"] == {"region": "r", **keys}


def test_without_aws_the_block_is_somebody_elses():
    assert "AWS" not in jobs.credentials_changes(Settings(**MINIO, remove_aws_keys=True))["merge"]
    assert jobs.credentials_changes(Settings(**MINIO, remove_aws_keys=True))["remove"] == [
        ["JOBS", {"name": "indexing-minio"}, "imageConfig", "s3", name] for name in ("secret_ref", "ca_bundle")]


def test_a_removal_without_buckets_is_one_of_both_storages():
    removals = jobs.credentials_changes(Settings(state="absent", queue_url=URL))["remove"]
    assert [each for each in removals if isinstance(each, list)] == [["JOBS", {"name": "indexing"}], ["JOBS", {"name": "indexing-minio"}]]
    only = jobs.credentials_changes(Settings(state="absent", queue_url=URL, buckets=[S3_BUCKET]))["remove"]
    assert [each for each in only if isinstance(each, list)] == [["JOBS", {"name": "indexing"}]]


@pytest.mark.parametrize(("manager", "kind", "told"), [
    ("helm", "Secret", True), ("argocd", "ConfigMap", True), ("helm", "Deployment", False), ("controller", "Secret", False)])
def test_the_values_are_for_those_whose_chart_writes_the_documents(manager, kind, told):
    found = helm_values.advice([{"kind": kind, "manager": manager}], "image:1")
    assert (found is not None) is told
    assert not told or found["ssjdispatcher"]["indexing"] == "image:1"
