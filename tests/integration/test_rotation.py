"""Every secret variable gets another value while files are uploaded: the new one is in force, the old one refused, each file READY."""

from __future__ import annotations

import itertools
import json
import threading

import boto3
import pytest
import requests
from botocore.exceptions import ClientError
from plays import SITE, succeed

LOCAL = "gen3-local"
BUCKETS = {"uploads_buckets": [{"name": "gen3-bucket", "storage": "s3"}, {"name": LOCAL, "storage": "minio"}]}


def secrets_of(number):
    """Every secret variable of both storages, and where two values overlap the name that goes with it."""
    return {
        "uploads_indexd_user": f"indexer-{number}", "uploads_indexd_password": f"indexd password {number}",
        "uploads_metadata_user": f"uploads-{number}", "uploads_metadata_password": f"metadata password {number}",
        "uploads_aws_access_key_id": f"AKIALABDISPATCHER{number:03}", "uploads_aws_secret_access_key": f"dispatcher secret {number}",
        "uploads_bridge_aws_access_key_id": f"AKIALABBRIDGE{number:07}", "uploads_bridge_aws_secret_access_key": f"bridge secret {number}",
        "uploads_bridge_token": f"bridge-token-{number}" + "0" * 32,
        "uploads_minio_indexer_user": f"gen3-indexer-{number}", "uploads_minio_indexer_secret": f"indexer secret {number}",
        "uploads_fence_secret": f"fence secret {number}",
    }


class Uploads(threading.Thread):
    """Uploads a file to one storage and then to the other, for as long as the block lasts."""

    def __init__(self, lab):
        super().__init__(daemon=True)
        self._lab, self._ended = lab, threading.Event()
        self.pause = threading.Lock()
        self.guids = []

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_exception):
        self._ended.set()
        self.join()

    def run(self):
        places = itertools.cycle([("gen3-bucket", self._lab.boto3("s3")), (LOCAL, self._lab.minio_s3())])
        for number, (bucket, s3) in enumerate(places):
            with self.pause:
                self.guids.append(self._lab.upload(f"{number}.txt", f"content {number}".encode(), bucket, s3))
            if self._ended.wait(2):
                return

    def wait_for(self, number):
        """Wait until so many more files are there."""
        goal = len(self.guids) + number
        self._lab.wait_for(lambda: len(self.guids) >= goal, what="more uploads")


def set_token_of_minio(lab, number):
    """Do what the operator of a MinIO that the collection does not run does: its target gets the bridge's token, by a restart."""
    lab.state.settings = {**lab.state.settings, "bridge_token": secrets_of(number)["uploads_bridge_token"]}
    lab.restart_minio(lab.state.settings["minio_targets"])


def set_logins(lab, *numbers):
    """Let indexd and the metadata service know the logins of these numbers beside their own."""
    passwords = lab.state.passwords()
    for service, name in (("indexd", "indexd"), ("metadata", "metadata")):
        kept = {user: password for user, password in passwords[service].items() if not user[-1].isdigit()}
        passwords[service] = {**kept, **{
            secrets_of(number)[f"uploads_{name}_user"]: secrets_of(number)[f"uploads_{name}_password"] for number in numbers}}
    lab.state.passwords_file.write_text(json.dumps(passwords))


def login_works(lab, number, part):
    """Whether MinIO takes a login of the Jobs or of fence."""
    secrets = secrets_of(number)
    login = {"fence": ("gen3-fence", secrets["uploads_fence_secret"]),
             "indexer": (secrets["uploads_minio_indexer_user"], secrets["uploads_minio_indexer_secret"])}[part]
    s3 = boto3.client("s3", endpoint_url=lab.minio_login["url"], region_name="us-east-1",
                      aws_access_key_id=login[0], aws_secret_access_key=login[1])
    try:
        s3.get_object(Bucket=LOCAL, Key="none")
    except ClientError as error:
        return error.response["Error"]["Code"] == "NoSuchKey"
    return True


def token_works(lab, number):
    """Whether the bridge takes a message with this token."""
    answer = requests.post(
        f"https://127.0.0.1:{lab.state.settings['ports']['minio-events']}/events", json={}, timeout=10,
        auth=("minio", secrets_of(number)["uploads_bridge_token"]), verify=str(lab.state.authority.certificate_file))
    return answer.ok


@pytest.fixture
def site(clean_lab):
    clean_lab.minio_s3().create_bucket(Bucket=LOCAL)

    def run(number, **variables):
        return succeed(clean_lab, SITE, "-e", "@inventories/lab/minio.yml", variables={**BUCKETS, **secrets_of(number), **variables})

    return run


def test_each_secret_gets_another_value_and_every_file_is_ready(clean_lab, site):
    lab = clean_lab
    set_logins(lab, 1)
    set_token_of_minio(lab, 1)
    site(1)
    assert login_works(lab, 1, "indexer") and login_works(lab, 1, "fence") and token_works(lab, 1)
    with Uploads(lab) as uploads:
        uploads.wait_for(2)
        set_logins(lab, 1, 2)
        assert site(2).changed
        uploads.wait_for(2)
        with uploads.pause:  # an upload while MinIO starts may have no event, whatever its token
            set_token_of_minio(lab, 2)
        uploads.wait_for(2)
        for guid in list(uploads.guids):
            lab.wait_until_ready(guid)
        # Nobody uses the old ones any more: they go.
        set_logins(lab, 2)
        site(2, uploads_minio_users=[{"name": "gen3-indexer-1", "state": "absent"}])
        with lab.calls(access_key="AKIALABDISPATCHER001") as dispatcher, lab.calls(access_key="AKIALABBRIDGE0000001") as bridge:
            uploads.wait_for(4)
    for guid in uploads.guids:
        lab.wait_until_ready(guid)
    assert (dispatcher.aws, bridge.aws) == ([], [])
    assert [login_works(lab, number, part) for part in ("indexer", "fence") for number in (1, 2)] == [False, True, False, True]
    assert [token_works(lab, number) for number in (1, 2)] == [False, True]
    assert site(2).changed == []
