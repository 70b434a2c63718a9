"""A commons in a namespace that is not ``default``: the bridge finds ssjdispatcher by its short name, as in any namespace."""

from __future__ import annotations

import json

from lab import seed
from plays import SITE, VERIFY, succeed

NAMESPACE, BUCKET = "gen3", "gen3-local"


def moved(manifest):
    return json.loads(json.dumps(manifest).replace(json.dumps(seed.NAMESPACE), json.dumps(NAMESPACE)))


def test_uploads_over_route_dispatcher(clean_lab):
    lab = clean_lab
    lab.kube.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}})
    tls = seed.tls_secret("event-bridge-tls", *lab.state.authority.server_certificate("event-bridge", "127.0.0.1"))
    for manifest in (*seed.manifests(lab.state.passwords()), tls):
        lab.kube.apply(moved(manifest))
    variables = {"uploads_minio_route": "dispatcher", "uploads_namespace": NAMESPACE}
    for playbook in (SITE, VERIFY):
        succeed(lab, playbook, "-e", "@inventories/lab/minio.yml", variables=variables)
    guid = lab.upload("a (b).txt", b"content", BUCKET, lab.minio_s3())
    assert lab.wait_until_ready(guid)["size"] == 7
    assert succeed(lab, SITE, "-e", "@inventories/lab/minio.yml", variables=variables).changed == []
    # Nothing of ours is in the namespace where nobody asked for it.
    assert lab.kube.get("Deployment", "event-bridge") is None and lab.kube.list("Job") == []
