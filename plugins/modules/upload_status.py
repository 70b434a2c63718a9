#!/usr/bin/python
# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

DOCUMENTATION = r"""
module: upload_status
short_description: Tell what is wrong with the pipeline of uploads
description:
  - Asks every station of the pipeline, without an upload, and returns all that is wrong, each in one sentence with what to do. The playbook
    C(gen3.uploads.status) shows it.
  - It only reads, and never receives from the queue, which would steal messages from ssjdispatcher.
  - A station that cannot be asked, for want of rights or a connection, is a finding of its own, and stops no other.
author:
  - Gen3 Uploads Contributors (@gen3-uploads)
options:
  endpoints:
    description: URLs of the servers on the way, such as MinIO and the event bridge, whose certificates and clocks are looked at.
    type: list
    elements: str
    default: []
  job_limit:
    description: How many Jobs ssjdispatcher lets run at once, its C(JOB_NUM_MAX).
    type: int
    default: 10
  bridge_url:
    description:
      - Where this machine reaches the event bridge in front of MinIO, as in the URL of MinIO's target. It is asked how many events it has put aside.
    type: str
  bridge_token:
    description: The token that the bridge takes.
    type: str
  bridge_ca_path:
    description: File with the certificates of the authorities to trust at O(bridge_url), on the host that the module runs on.
    type: path
  refusals:
    description: Why a part of the pipeline could not be compared with what is wanted, so that O(drift) is not all.
    type: list
    elements: str
    default: []
seealso:
  - module: gen3.uploads.upload_trace
  - module: gen3.uploads.upload_probe
extends_documentation_fragment:
  - gen3.uploads.attributes.info
  - gen3.uploads.attributes.aws_k8s
  - gen3.uploads.pipeline
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - kubernetes.core.k8s_auth_options
"""

EXAMPLES = r"""
- name: Ask what is wrong with the pipeline of a bucket on Amazon S3
  gen3.uploads.upload_status:
    queue: Gen3Queue
    queue_url: https://sqs.us-east-1.amazonaws.com/123456789012/Gen3Queue
  register: status
"""

RETURN = r"""
findings:
  description: All that is wrong, the worst first. Empty for a healthy pipeline.
  returned: success
  type: list
  elements: dict
  contains:
    finding:
      description: Its name.
      type: str
      sample: dispatcher-down
    sentence:
      description: What is wrong.
      type: str
      sample: Deployment default/ssjdispatcher has 0 replicas, so nothing takes the events.
    remedy:
      description: What to do.
      type: str
      sample: Uploads wait until it runs.
sentences:
  description: The findings in sentences, what is wrong and what to do.
  returned: success
  type: list
  elements: str
  sample: ["Deployment default/ssjdispatcher has 0 replicas, so nothing takes the events. Uploads wait until it runs."]
table:
  description: What each station says.
  returned: success
  type: list
  elements: str
  sample: ["Jobs        2 of 10 run, 0 fail"]
unknown:
  description: The stations that could not be asked, and why.
  returned: success
  type: dict
  sample: {}
"""

from dataclasses import asdict
from datetime import datetime, timezone

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.gen3.uploads.plugins.module_utils._aws import client as aws
from ansible_collections.gen3.uploads.plugins.module_utils._core.runner import run_module
from ansible_collections.gen3.uploads.plugins.module_utils._event_bridge.api import read_records
from ansible_collections.gen3.uploads.plugins.module_utils._k8s.client import AUTH_ARG_SPEC
from ansible_collections.gen3.uploads.plugins.module_utils._probe.options import STATIONS, TOGETHER, context
from ansible_collections.gen3.uploads.plugins.module_utils._trace.observe_pipeline import observe
from ansible_collections.gen3.uploads.plugins.module_utils._trace.pipeline import findings, table

OPTIONS = dict(
    endpoints=dict(type="list", elements="str", default=[]),
    job_limit=dict(type="int", default=10),
    refusals=dict(type="list", elements="str", default=[]),
    bridge_url=dict(type="str"),
    bridge_token=dict(type="str", no_log=True),
    bridge_ca_path=dict(type="path"),
)
BRIDGE = ("bridge_url", "bridge_token")


def status(module):
    """Ask and judge."""
    options = module.params
    validate_certs = options["validate_certs"]  # before the context leaves it to the kubeconfig

    def records():
        if not options["bridge_url"]:
            return None
        return read_records(options["bridge_url"], options["bridge_token"], options["bridge_ca_path"], validate_certs)

    facts = observe(context(module), options["endpoints"], options["job_limit"], datetime.now(timezone.utc), records)
    found = findings(facts)
    return {"changed": False, "findings": [asdict(each) for each in found], "sentences": [f"{each.sentence} {each.remedy}" for each in found],
            "table": table(facts), "unknown": dict(facts.unknown)}


def main():
    """Run the module."""
    module = AnsibleAWSModule(
        argument_spec={**AUTH_ARG_SPEC, **aws.HIDDEN_ACCESS_KEY, **STATIONS, **OPTIONS}, required_together=[*TOGETHER, BRIDGE], supports_check_mode=True)
    run_module(module, lambda: status(module))


if __name__ == "__main__":
    main()
