"""An upgrade of the chart at any moment, with and without the Secret of the collection's own."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest
import yaml
from chart import apply, rendered, uninstall
from plays import CONFIRM, REINDEX, SITE, TEARDOWN, VERIFY, succeed

OWN = "ssjdispatcher-uploads"
BOTH = [{"name": "gen3-bucket", "storage": "s3"}, {"name": "gen3-local", "storage": "minio"}]
IMAGE = "lab.example.org/gen3-indexer:1"


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
        self.play("playbooks/gen3_values.yml", uploads_helm_values_file=str(file), uploads_fence_secret="secret-of-fence",
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


def described(lab):
    """What the chart describes, without what the API server adds."""
    found = {}
    for manifest in rendered({}):
        each = lab.kube.get(manifest["kind"], manifest["metadata"]["name"])
        metadata = {part: each["metadata"].get(part) for part in ("labels", "annotations")}
        if manifest["kind"] == "Deployment":
            metadata["annotations"].pop("deployment.kubernetes.io/revision", None)
            each["spec"]["template"]["metadata"]["annotations"].pop("gen3.uploads/configuration", None)
        found[manifest["kind"], manifest["metadata"]["name"]] = metadata, each.get("spec"), each.get("data"), each.get("imagePullSecrets")
    return found


def test_an_installation_under_flux_beside_external_secrets(lab, tmp_path):
    commons = Commons(lab, tmp_path, owner="helm-controller")
    lab.kube.patch("Secret", "ssjdispatcher-creds", {"metadata": {"ownerReferences": [{
        "apiVersion": "external-secrets.io/v1", "kind": "ExternalSecret", "name": "ssjdispatcher-creds", "controller": True,
        "uid": "00000000-0000-0000-0000-000000000001"}]}})
    before = described(lab)
    commons.play(SITE)
    assert commons.play(SITE).changed == []
    uploaded = commons.upload()
    commons.upgrade()
    commons.ready(uploaded + commons.upload())
    commons.play(TEARDOWN, **CONFIRM)
    assert commons.document() is None or not commons.document()["JOBS"]
    after = described(lab)
    for spec in (before["Deployment", "ssjdispatcher"][1], after["Deployment", "ssjdispatcher"][1]):
        spec["template"]["metadata"]["annotations"].pop("checksum/config")  # of another revision
    assert after == before


def test_with_the_secret_of_the_chart_a_run_after_an_upgrade_repairs(lab, tmp_path):
    """On gen3-helm's defaults, with the placeholders in its Secret, and an image that its values do not name."""
    commons = Commons(lab, tmp_path, values={}, uploads_buckets=BOTH[:1], uploads_s3_job_image=IMAGE)
    first = commons.play(SITE)
    assert "ssjdispatcher-uploads" in first.output, "it says what to do about Helm"
    commons.ready(commons.upload())
    for server_side in (True, False):
        commons.upgrade(server_side)  # stops at a conflict if a claim of ours is left
        uploaded = commons.upload()
        commons.play(SITE)
        assert commons.play(SITE).changed == []
        commons.play(REINDEX, uploads_reindex_min_age=0, uploads_reindex_rate=50)
        commons.ready(uploaded)
    commons.play(VERIFY)
