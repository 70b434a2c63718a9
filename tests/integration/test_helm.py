"""An upgrade of the chart at any moment, with and without the Secret of the collection's own."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest
import yaml
from chart import apply, rendered, uninstall
from plays import CONFIRM, SITE, TEARDOWN, succeed

OWN = "ssjdispatcher-uploads"
BOTH = [{"name": "gen3-bucket", "storage": "s3"}, {"name": "gen3-local", "storage": "minio"}]


class Commons:
    """A lab whose ssjdispatcher gen3-helm's chart has installed, with the values of gen3_values.yml unless ``values`` are given."""

    def __init__(self, lab, directory: Path, owner: str = "helm", values=None, **variables):
        self.lab, self.owner, self.variables, self.revision = lab, owner, variables, 0
        lab.reset()
        self.values = self.gen3_values(directory) if values is None else values
        uninstall(lab, rendered(self.values))
        self.upgrade()

    def play(self, playbook, *arguments, do=succeed, **variables):
        extra = ("-e", "@inventories/lab/minio.yml") if self.variables else ()
        return do(self.lab, playbook, *extra, *arguments, variables={**self.variables, **variables})

    def gen3_values(self, directory):
        file = directory / "values.yml"
        self.play("playbooks/gen3_values.yml", uploads_values_file=str(file), uploads_fence_secret="secret-of-fence",
                  uploads_fence_aws_access_key_id="AKIAFENCE", uploads_fence_aws_secret_access_key="secret")
        return yaml.safe_load(file.read_text())["ssjdispatcher"]

    def upgrade(self, server_side: bool = True):
        """Install or upgrade; this rolls the pods as well."""
        self.revision += 1
        apply(self.lab, rendered(self.values, self.revision, self.owner), server_side, self.owner)

    def restart(self):
        for pod in self.lab.kube.list("Pod", labelSelector="app=ssjdispatcher"):
            self.lab.kube.delete("Pod", pod["metadata"]["name"], grace_period=0)

    def upload(self):
        """Upload a file to each bucket."""
        names = [bucket["name"] for bucket in self.variables.get("uploads_buckets", BOTH[:1])]
        return [self.lab.upload(bucket=name, s3=self.lab.minio_s3() if name == "gen3-local" else None) for name in names]

    def ready(self, guids):
        for guid in guids:
            assert self.lab.wait_until_ready(guid)["size"] == len(b"sample")

    def document(self, name=OWN):
        secret = self.lab.kube.get("Secret", name)
        return secret and json.loads(base64.b64decode(secret["data"]["credentials.json"]))


def minio(route, buckets=BOTH[1:]):
    return {"uploads_buckets": list(buckets), "uploads_minio_route": route}


ROUTES = {"s3": {}, "minio-sqs": minio("sqs"), "minio-dispatcher": minio("dispatcher"), "both-sns": minio("sns", BOTH)}


@pytest.mark.parametrize("variables", ROUTES.values(), ids=ROUTES)
def test_an_upgrade_at_any_moment_needs_no_run_of_ours(lab, tmp_path, variables):
    commons = Commons(lab, tmp_path, **variables)
    creds = commons.document("ssjdispatcher-creds")
    first = commons.play(SITE)
    assert [job["name"] for job in commons.document()["JOBS"]] == ["indexing"]
    uploaded = commons.upload()
    commons.restart()
    for server_side in (True, False):
        uploaded += commons.upload()
        commons.upgrade(server_side)
        uploaded += commons.upload()
        commons.restart()
    uploaded += commons.upload()
    commons.ready(uploaded)

    assert commons.document("ssjdispatcher-creds") == creds, "the chart's Secret is the chart's"
    assert json.loads(lab.kube.get("ConfigMap", "manifest-ssjdispatcher")["data"]["job_images"]) == {
        "indexing": commons.values.get("indexing", "quay.io/cdis/indexs3client:2025.12")}
    assert not any("helm upgrade" in str(result.get("warnings")) for _, result in first.results)
    commons.play(SITE)
    assert commons.play(SITE).changed == []
    commons.play(TEARDOWN, **CONFIRM, uploads_discard_messages=True)
    assert commons.document() is None or not commons.document()["JOBS"]
