#!/usr/bin/python
# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

DOCUMENTATION = r"""
module: upload_probe
short_description: Follow a small file on its way from the bucket to READY, step by step
description:
  - Makes or awaits the steps of an upload one after the other, up to the first that is not passed, and adds them to a probe.
  - What it has made it removes again, whatever happened before, unless O(steps) leaves that out.
  - Never receives from the queue, which would steal messages from ssjdispatcher. The probe is recognised by the
    C(INPUT_URL) of its Job, and the steps before by configuration and metrics.
  - Users and passwords of indexd and of the metadata service are those that ssjdispatcher gives to its Jobs. The module
    reads them from the cluster's Secret, and they appear in no result.
author:
  - Gen3 Uploads Contributors (@gen3-uploads)
options:
  steps:
    description:
      - The steps to do, in this order. By default all that the storage has.
      - V(configuration) judges O(drift), and asks whether ssjdispatcher runs.
      - V(record) makes a blank record in indexd, as fence does, and an empty object in the metadata service.
      - V(upload) puts a small object at C(<guid>/<file name>).
      - V(notification_target) asks MinIO whether it reaches O(minio_target), and how many events wait for it. Amazon S3 has no such step.
      - V(job) awaits the Job of that object, and V(job_completed) its end.
      - V(indexed) awaits size and hashes in indexd and compares them with those computed here.
      - V(metadata) awaits the status C(uploaded) in the metadata service.
      - V(ready) reads the record as the portal does.
      - V(cleanup) removes what the probe has made.
    type: list
    elements: str
    choices: [configuration, record, upload, notification_target, job, job_completed, indexed, metadata, ready, cleanup]
  probe:
    description: The result RV(probe) of the task with the steps before; nothing at the first step.
    type: dict
    default: {}
  file_name:
    description: Name of the file.
    type: str
    default: gen3-uploads-probe.txt
  prefix:
    description: With what a key has to begin so that the bucket's rule takes it. The step V(upload) tells where no upload can.
    type: str
    default: ''
  suffix:
    description: With what a key has to end so that the bucket's rule takes it. O(file_name) gets this end where it has another.
    type: str
    default: ''
  timeout:
    description: How many seconds to await a step.
    type: int
    default: 300
  interval:
    description: How many seconds to wait between two looks.
    type: float
    default: 1
attributes:
  check_mode:
    support: none
    description: A probe has to be made to be followed.
  diff_mode:
    support: none
    description: What a step made is in its evidence.
  idempotent:
    support: none
    description: Each probe is a new file.
seealso:
  - module: gen3.uploads.ssjdispatcher_info
extends_documentation_fragment:
  - gen3.uploads.attributes
  - gen3.uploads.attributes.aws_k8s
  - gen3.uploads.pipeline
  - gen3.uploads.pipeline.file
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - kubernetes.core.k8s_auth_options
"""

EXAMPLES = r"""
- name: Follow a file from a bucket on Amazon S3 to READY, and remove it
  gen3.uploads.upload_probe:
    bucket: gen3-bucket
    topic: ssj-topic
    queue: Gen3Queue
    indexd_url: https://commons.example.org/index/index
    metadata_url: https://commons.example.org/mds

- name: Put a file into a bucket on MinIO
  gen3.uploads.upload_probe:
    steps: [record, upload]
    bucket: gen3-local
    minio_url: https://minio.example.org:9000
    minio_access_key: "{{ minio_root_user }}"
    minio_secret_key: "{{ minio_root_password }}"
    indexd_url: https://commons.example.org/index/index
    metadata_url: https://commons.example.org/mds
  register: made

- name: Remove it
  gen3.uploads.upload_probe:
    steps: [cleanup]
    bucket: gen3-local
    minio_url: https://minio.example.org:9000
    minio_access_key: "{{ minio_root_user }}"
    minio_secret_key: "{{ minio_root_password }}"
    probe: "{{ made.probe }}"
    indexd_url: https://commons.example.org/index/index
    metadata_url: https://commons.example.org/mds
"""

RETURN = r"""
probe:
  description: The probe with these steps added, also one that failed. For the next task.
  returned: always
  type: dict
  sample:
    guid: 0f5c1c1e-0d3a-4f0e-9a50-2f6a4f6c7b11
    made: [record, metadata]
    steps:
      - name: record
        title: Blank record in indexd
        state: passed
        seconds: 0.1
        after_upload: null
        ended: 1735689600.5
        evidence: ["0f5c1c1e-0d3a-4f0e-9a50-2f6a4f6c7b11, revision 0b5a2f1c"]
        advice: []
steps:
  description: All steps in their order, those not reached yet included.
  returned: always
  type: list
  elements: dict
stations:
  description: The stations of the file in their order.
  returned: always
  type: list
  elements: str
  sample: [s3://gen3-bucket, ssj-topic, Gen3Queue, ssjdispatcher in default, indexd]
table:
  description: The steps as the lines of a table.
  returned: always
  type: list
  elements: str
"""

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.gen3.uploads.plugins.module_utils._core.names import PROBE_FILE_NAME
from ansible_collections.gen3.uploads.plugins.module_utils._aws import client as aws
from ansible_collections.gen3.uploads.plugins.module_utils._k8s.client import AUTH_ARG_SPEC
from ansible_collections.gen3.uploads.plugins.module_utils._probe import model as _probe
from ansible_collections.gen3.uploads.plugins.module_utils._probe.options import PIPELINE, TOGETHER, context
from ansible_collections.gen3.uploads.plugins.module_utils._probe.steps import follow

OPTIONS = dict(
    steps=dict(type="list", elements="str", choices=list(_probe.STEPS)),
    probe=dict(type="dict", default={}),
    file_name=dict(type="str", default=PROBE_FILE_NAME),
    prefix=dict(type="str", default=""),
    suffix=dict(type="str", default=""),
    timeout=dict(type="int", default=300),
    interval=dict(type="float", default=1),
)


def main():
    """Run the module."""
    module = AnsibleAWSModule(argument_spec={**AUTH_ARG_SPEC, **aws.HIDDEN_ACCESS_KEY, **PIPELINE, **OPTIONS}, required_together=TOGETHER)
    on_minio = bool(module.params["minio_url"])
    steps = module.params["steps"] or _probe.steps_of(on_minio)
    if not on_minio and _probe.ONLY_MINIO & set(steps):
        module.fail_json(msg="The step notification_target needs minio_url.")
    probe, failure = follow(steps, module.params["probe"], context(module))
    seen = _probe.all_steps(probe, on_minio)
    names = (module.params[name] for name in ("topic", "queue", "queue_reader"))
    stations = _probe.stations(module.params["bucket"], module.params["namespace"], on_minio, *names)
    result = {"probe": probe, "steps": seen, "stations": stations, "table": _probe.table(seen)}
    if failure:
        module.fail_json(msg=failure, **result)
    module.exit_json(changed=not {"record", "upload", "cleanup"}.isdisjoint(steps), **result)


if __name__ == "__main__":
    main()
