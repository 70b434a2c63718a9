"""The dispatcher stand-in against the recorded behaviour of ssjdispatcher."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from lab.dispatcher import configuration, jobs
from lab.dispatcher.configuration import Fatal
from lab.dispatcher.jobs import JobError
from lab.dispatcher.messages import Crash, paths_of, winner

CONTRACTS = Path(__file__).resolve().parents[2] / "contracts"
MESSAGES = json.loads((CONTRACTS / "dispatcher_messages.json").read_text())
PATTERNS = json.loads((CONTRACTS / "job_patterns.json").read_text())
INDEXING = {"name": "indexing", "pattern": "^s3://a/.+", "imageConfig": {
    "url": "u", "username": "n", "password": "p", "metadataService": {"url": "u", "username": "n", "password": "p"}}}


def of_type(kind):
    return [entry for entry in PATTERNS if entry["type"] == kind]


def test_the_contracts_are_all_there():
    assert len(MESSAGES) == 103
    assert len(PATTERNS) == 140


@pytest.mark.parametrize("entry", MESSAGES, ids=lambda entry: entry["case"])
def test_message(entry):
    if entry["outcome"] == "crash":
        with pytest.raises(Crash):
            paths_of(entry["body"])
    else:
        assert paths_of(entry["body"]) == entry["paths"]


@pytest.mark.parametrize("entry", of_type("job_configs"), ids=lambda entry: entry["why"])
def test_winner(entry):
    if entry["outcome"] == "crash":
        with pytest.raises(Crash):
            winner(entry["path"], entry["jobs"])
    else:
        assert (winner(entry["path"], entry["jobs"]) or {}).get("name") == entry["winner"]


@pytest.mark.parametrize("entry", of_type("pattern"), ids=lambda entry: f"{entry['pattern']} on {entry['path']}")
def test_pattern(entry):
    assert (winner(entry["path"], [{"name": "x", "pattern": entry["pattern"]}]) is not None) == entry["matches"]


@pytest.mark.parametrize("entry", of_type("invalid_pattern"), ids=lambda entry: entry["pattern"])
def test_invalid_pattern(entry):
    with pytest.raises(Crash):
        winner("s3://a/b", [{"name": "x", "pattern": entry["pattern"]}])


def indexing(**changes):
    """Return the job with parts of its imageConfig replaced; None takes one away."""
    config = {**INDEXING["imageConfig"], **changes}
    return {**INDEXING, "imageConfig": {name: value for name, value in config.items() if value is not None}}


@pytest.mark.parametrize(("content", "expected"), [
    ({}, Fatal), ({"SQS": {}}, Fatal), ({"SQS": []}, Fatal), ({"SQS": {"url": 1}}, Crash),
    ({"sqs": {"url": "u"}}, Fatal), ({"SQS": {"url": ""}}, ""), ({"SQS": {"url": "u"}}, "u")])
def test_queue_url(content, expected):
    if isinstance(expected, str):
        assert configuration.queue_url(content) == expected
    else:
        with pytest.raises(expected):
            configuration.queue_url(content)


@pytest.mark.parametrize(("entries", "expected"), [
    (None, []), ([], []), ({}, Fatal), (["x"], Fatal), ([{"name": 1}], Fatal), ([{"DeadLine": "1"}], Fatal),
    ([INDEXING], [INDEXING]),
    ([{"name": "other"}], [{"name": "other"}]),
    ([{"NAME": "other", "requestcpu": "1", "deadline": 5, "Extra": 1}],
     [{"name": "other", "RequestCPU": "1", "DeadLine": 5, "Extra": 1}]),
    ([{"name": "indexing"}], Crash),
    ([indexing(url=None)], Crash), ([indexing(password=1)], Crash), ([indexing(username="")], Fatal),
    ([indexing(metadataService=None)], Fatal), ([indexing(metadataService={"url": "u"})], Crash),
    ([indexing(metadataService={"url": "u", "username": "n", "password": ""})], Fatal)])
def test_jobs(entries, expected):
    content = {"JOBS": entries}
    if isinstance(expected, list):
        assert configuration.jobs(content) == expected
    else:
        with pytest.raises(expected):
            configuration.jobs(content)


def test_a_job_as_go_writes_it():
    assert configuration.as_go({"name": "a", "pattern": "^s3://a/.+", "Extra": 1}) == {
        "Name": "a", "Pattern": "^s3://a/.+", "Image": "", "ImageConfig": None, "RequestCPU": "", "RequestMem": "",
        "DeadLine": 0, "ServiceAccount": ""}


@pytest.fixture
def credentials(tmp_path, monkeypatch):
    """Write credentials.json where the stand-in looks for it."""
    file = tmp_path / "credentials.json"
    monkeypatch.setenv("CRED_FILE", str(file))
    monkeypatch.setenv("JOB_IMAGES", '{"indexing": "registry/indexs3client:1"}')
    return lambda **content: file.write_text(json.dumps(content))


def test_job_manifest(credentials):
    credentials(AWS={"region": "eu-west-1", "aws_access_key_id": "AKIA1"})
    spec = jobs.manifest({**INDEXING, "RequestCPU": "250m", "DeadLine": 60}, "s3://a/b%2Fc")["spec"]
    pod = spec["template"]["spec"]
    container = pod["containers"][0]
    assert (spec["backoffLimit"], spec["activeDeadlineSeconds"]) == (3, 60)
    assert (pod["restartPolicy"], pod["serviceAccountName"]) == ("Never", "ssjdispatcher-job-sa")
    assert container["image"] == "registry/indexs3client:1"
    assert container["resources"] == {"requests": {"cpu": "250m", "memory": "0.1Gi"}}
    env = {variable["name"]: variable["value"] for variable in container["env"]}
    assert json.loads(env.pop("CONFIG_FILE")) == INDEXING["imageConfig"]
    assert env == {"INPUT_URL": "s3://a/b%2Fc", "AWS_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": "AKIA1",
                   "AWS_SECRET_ACCESS_KEY": ""}


@pytest.mark.parametrize("quantity", ["", "x", "1 Gi", "1gi", "1.2.3", "--1"])
def test_bad_quantity_ends_the_program(credentials, quantity):
    credentials()
    config = {**INDEXING, "RequestMem": quantity}
    if quantity:
        with pytest.raises(Crash):
            jobs.manifest(config, "s3://a/b")
    else:
        assert jobs.manifest(config, "s3://a/b")


@pytest.mark.parametrize(("images", "error"), [("", JobError), ("[]", JobError), ("{}", JobError),
                                               ('{"indexing": 1}', Crash)])
def test_bad_job_images(monkeypatch, images, error):
    monkeypatch.setenv("JOB_IMAGES", images)
    with pytest.raises(error):
        jobs.image({"name": "indexing", "image": "from-the-entry:1"})


def test_image_of_the_entry_counts_only_without_job_images(monkeypatch):
    monkeypatch.delenv("JOB_IMAGES", raising=False)
    assert jobs.image({"name": "indexing", "image": "from-the-entry:1"}) == "from-the-entry:1"


@pytest.mark.parametrize(("counts", "expected"), [
    ({}, "Unknown"), ({"active": 1}, "Running"), ({"active": 1, "failed": 1}, "Failed"),
    ({"succeeded": 1}, "Completed")])
def test_job_status(counts, expected):
    assert jobs.status({"status": counts}) == expected
