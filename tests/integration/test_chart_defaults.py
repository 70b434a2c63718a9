"""A commons as gen3-helm's default values make it: the Secret has placeholders, which nobody wants."""

from __future__ import annotations

import base64
import json

from lab import seed
from plays import SITE, VERIFY, succeed


def entry(lab):
    text = base64.b64decode(lab.kube.get("Secret", "ssjdispatcher-creds")["data"]["credentials.json"])
    return json.loads(text)["JOBS"]


def test_placeholders_are_replaced_now_and_after_each_helm_upgrade(clean_lab):
    lab = clean_lab
    lab.kube.apply(seed.chart_credentials())
    lab.wait_for(lambda: lab.kube.get("Deployment", "ssjdispatcher")["status"].get("readyReplicas"), what="ssjdispatcher's start")
    first = succeed(lab, SITE)
    assert "s3://test-12345678901234-upload/*" in first.output  # a warning
    (job,) = entry(lab)
    assert job["pattern"] == "^s3://(gen3-bucket)/.+" and "replace_with_password" not in json.dumps(job)
    succeed(lab, VERIFY)
    assert succeed(lab, SITE).changed == []

    lab.kube.delete("Secret", "ssjdispatcher-creds")
    lab.kube.apply(seed.chart_credentials())  # what a helm upgrade makes of it
    assert succeed(lab, SITE).changed != []
    guid = lab.upload()
    assert lab.wait_until_ready(guid)["size"] == 6
