#!/usr/bin/python
# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

DOCUMENTATION = r"""
module: upload_probe
short_description: Follow a small file on its way from the bucket to READY, hop by hop
description:
  - Makes or awaits the hops of an upload one after the other, up to the first that is not passed, and adds them to a probe.
  - What it has made it removes again, whatever happened before, unless O(hops) leaves that out.
  - Never receives from the queue, which would steal messages from ssjdispatcher. The probe is recognised by the
    C(INPUT_URL) of its Job, and the hops before by configuration and metrics.
  - Users and passwords of indexd and of the metadata service are those that ssjdispatcher gives to its Jobs. The module
    reads them from the cluster's Secret, and they appear in no result.
author:
  - Gen3 Uploads Contributors (@gen3-uploads)
options:
  hops:
    description:
      - The hops to do, in this order. By default all that the storage has.
      - V(way) judges O(drift), and asks whether ssjdispatcher runs.
      - V(record) makes a blank record in indexd, as fence does, and an empty object in the metadata service.
      - V(upload) puts a small object at C(<guid>/<file name>).
      - V(target) asks MinIO whether it reaches O(minio_target), and how many events wait for it. Amazon S3 has no such hop.
      - V(job) awaits the Job of that object, and V(finished) its end.
      - V(indexed) awaits size and hashes in indexd and compares them with those computed here.
      - V(metadata) awaits the status C(uploaded) in the metadata service.
      - V(ready) reads the record as the portal does.
      - V(removal) removes what the probe has made.
    type: list
    elements: str
    choices: [way, record, upload, target, job, finished, indexed, metadata, ready, removal]
  probe:
    description: The result RV(probe) of the task with the hops before; nothing at the first hop.
    type: dict
    default: {}
  bucket:
    description: The bucket that the file is put into.
    type: str
    required: true
  file_name:
    description: Name of the file.
    type: str
    default: gen3-uploads-probe.txt
  prefix:
    description: With what a key has to begin so that the bucket's rule takes it. The hop V(upload) tells where no upload can.
    type: str
    default: ''
  suffix:
    description: With what a key has to end so that the bucket's rule takes it. O(file_name) gets this end where it has another.
    type: str
    default: ''
  drift:
    description:
      - What M(gen3.uploads.sns_sqs_channel), M(gen3.uploads.s3_bucket_notifications) and M(gen3.uploads.minio_resources) would
        change in check mode, and RV(gen3.uploads.ssjdispatcher#module:changes).
    type: list
    elements: dict
    default: []
  minio_url:
    description: Scheme, host and port of the MinIO server that has the bucket. Without it the bucket is one of Amazon S3.
    type: str
  minio_access_key:
    description: Access key of an administrator of the MinIO server.
    type: str
  minio_secret_key:
    description: The secret that belongs to O(minio_access_key).
    type: str
  minio_ca_path:
    description: File with the certificates of the authorities to trust at O(minio_url), on the host that the module runs on.
    type: path
  minio_target:
    description: Type and id of the notification target that MinIO's events go to.
    type: str
    default: webhook/GEN3
  bridge:
    description: Where the event bridge between MinIO and ssjdispatcher runs, for messages.
    type: str
    choices: [node, cluster]
    default: node
  bridge_name:
    description: Name of the bridge's Deployment, for messages.
    type: str
    default: event-bridge
  bridge_status_address:
    description: Address and port of the bridge's metrics, for messages.
    type: str
    default: 127.0.0.1:4195
  bridge_dead_letters:
    description: Directory of the bridge's dead letters, for messages.
    type: str
    default: /var/lib/event-bridge/dead-letters
  topic:
    description: Name of the topic, for RV(way). Nothing on a way without one.
    type: str
  queue:
    description: Name of the queue, for messages and RV(way). Nothing on a way without one.
    type: str
  queue_reader:
    description: Name of the Deployment that reads the queue in place of ssjdispatcher, where there is one.
    type: str
  queue_url:
    description: URL of the queue whose metrics are shown. Nothing on a way without one.
    type: str
  dead_letter_queue_url:
    description: URL of the dead-letter queue whose metrics are shown.
    type: str
  namespace:
    description: Namespace of ssjdispatcher.
    type: str
    default: default
  deployment:
    description: Name of ssjdispatcher's Deployment.
    type: str
    default: ssjdispatcher
  jobs_namespace:
    description: Namespace of the Jobs. The default is O(namespace).
    type: str
  configuration_secret:
    description: The Secret with ssjdispatcher's configuration.
    type: str
    default: ssjdispatcher-creds
  configuration_key:
    description: The key of O(configuration_secret) that holds it.
    type: str
    default: credentials.json
  job_name:
    description:
      - Name of the entry of C(JOBS) that indexes the bucket.
      - The default is V(indexing), and V(indexing-minio) with O(minio_url).
    type: str
  indexd_url:
    description: URL of indexd's index as the controller reaches it, with C(/index) at its end.
    type: str
    required: true
  metadata_url:
    description: URL of the metadata service as the controller reaches it.
    type: str
    required: true
  timeout:
    description: How many seconds to await a hop.
    type: int
    default: 300
  interval:
    description: How many seconds to wait between two looks.
    type: float
    default: 1
  validate_certs:
    description:
      - Whether to verify the certificates of AWS, of MinIO, of the API server, of indexd and of the metadata service.
    type: bool
    default: true
    aliases: [verify_ssl]
attributes:
  action_group:
    description:
      - Use C(group/gen3.uploads.aws) and C(group/gen3.uploads.k8s) in C(module_defaults) for the modules of this
        collection and those of C(amazon.aws), C(community.aws) and C(kubernetes.core).
    support: full
    membership:
      - gen3.uploads.aws
      - gen3.uploads.k8s
  check_mode:
    support: none
    description: A probe has to be made to be followed.
  diff_mode:
    support: none
    description: What a hop made is in its evidence.
  idempotent:
    support: none
    description: Each probe is a new file.
seealso:
  - module: gen3.uploads.ssjdispatcher_info
requirements:
  - minio >= 7.2.17, < 8 for O(minio_url)
extends_documentation_fragment:
  - gen3.uploads.attributes
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
    hops: [record, upload]
    bucket: gen3-local
    minio_url: https://minio.example.org:9000
    minio_access_key: "{{ minio_root_user }}"
    minio_secret_key: "{{ minio_root_password }}"
    indexd_url: https://commons.example.org/index/index
    metadata_url: https://commons.example.org/mds
  register: made

- name: Remove it
  gen3.uploads.upload_probe:
    hops: [removal]
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
  description: The probe with these hops added, also one that failed. For the next task.
  returned: always
  type: dict
  sample:
    guid: 0f5c1c1e-0d3a-4f0e-9a50-2f6a4f6c7b11
    made: [record, metadata]
    hops:
      - name: record
        title: Blank record in indexd
        state: passed
        seconds: 0.1
        after_upload: null
        ended: 1735689600.5
        evidence: ["0f5c1c1e-0d3a-4f0e-9a50-2f6a4f6c7b11, revision 0b5a2f1c"]
        advice: []
hops:
  description: All hops in their order, those not reached yet included.
  returned: always
  type: list
  elements: dict
way:
  description: The stations of the file in their order.
  returned: always
  type: list
  elements: str
  sample: [s3://gen3-bucket, ssj-topic, Gen3Queue, ssjdispatcher in default, indexd]
table:
  description: The hops as the lines of a table.
  returned: always
  type: list
  elements: str
"""

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.gen3.uploads.plugins.module_utils._core.names import PROBE_FILE_NAME
from ansible_collections.gen3.uploads.plugins.module_utils._aws import client as aws
from ansible_collections.gen3.uploads.plugins.module_utils._minio import client as minio
from ansible_collections.gen3.uploads.plugins.module_utils._probe import model as _probe
from ansible_collections.gen3.uploads.plugins.module_utils._k8s.client import AUTH_ARG_SPEC, connect
from ansible_collections.gen3.uploads.plugins.module_utils._gen3.services import direct
from ansible_collections.gen3.uploads.plugins.module_utils._probe.steps import World, follow
from ansible_collections.gen3.uploads.plugins.module_utils._probe.storage import AmazonS3, MinioServer

OPTIONS = dict(
    hops=dict(type="list", elements="str", choices=list(_probe.HOPS)),
    probe=dict(type="dict", default={}),
    bucket=dict(type="str", required=True),
    file_name=dict(type="str", default=PROBE_FILE_NAME),
    prefix=dict(type="str", default=""),
    suffix=dict(type="str", default=""),
    drift=dict(type="list", elements="dict", default=[]),
    minio_url=dict(type="str"),
    minio_access_key=dict(type="str", no_log=False),
    minio_secret_key=dict(type="str", no_log=True),
    minio_ca_path=dict(type="path"),
    minio_target=dict(type="str", default="webhook/GEN3"),
    bridge=dict(type="str", choices=["node", "cluster"], default="node"),
    bridge_name=dict(type="str", default="event-bridge"),
    bridge_status_address=dict(type="str", default="127.0.0.1:4195"),
    bridge_dead_letters=dict(type="str", default="/var/lib/event-bridge/dead-letters"),
    topic=dict(type="str"),
    queue=dict(type="str"),
    queue_reader=dict(type="str"),
    queue_url=dict(type="str"),
    dead_letter_queue_url=dict(type="str"),
    namespace=dict(type="str", default="default"),
    deployment=dict(type="str", default="ssjdispatcher"),
    jobs_namespace=dict(type="str"),
    configuration_secret=dict(type="str", default="ssjdispatcher-creds", no_log=False),
    configuration_key=dict(type="str", default="credentials.json", no_log=False),
    job_name=dict(type="str"),
    indexd_url=dict(type="str", required=True),
    metadata_url=dict(type="str", required=True),
    timeout=dict(type="int", default=300),
    interval=dict(type="float", default=1),
    validate_certs=dict(type="bool", default=True, aliases=["verify_ssl"]),
)


def storage(module):
    """Return where the object goes; fail without the library of MinIO or with a URL that is none."""
    if not module.params["minio_url"]:
        return AmazonS3(module.client)
    minio.require_library(module)
    options = {name: module.params[f"minio_{name}"] for name in ("url", "access_key", "secret_key", "ca_path")}
    try:
        return MinioServer({**options, "validate_certs": module.params["validate_certs"]})
    except minio.MinioError as error:
        module.fail_json(msg=str(error))


def main():
    """Run the module."""
    module = AnsibleAWSModule(
        argument_spec={**AUTH_ARG_SPEC, **aws.HIDDEN_ACCESS_KEY, **OPTIONS},
        required_together=[("minio_url", "minio_access_key", "minio_secret_key")],
    )
    on_minio = bool(module.params["minio_url"])
    hops = module.params["hops"] or _probe.hops_of(on_minio)
    if not on_minio and _probe.ONLY_MINIO & set(hops):
        module.fail_json(msg="The hop target needs minio_url.")
    params = {
        **module.params,
        "jobs_namespace": module.params["jobs_namespace"] or module.params["namespace"],
        "job_name": module.params["job_name"] or ("indexing-minio" if on_minio else "indexing"),
    }

    def send(service, config):
        return direct(params[f"{service}_url"], config.get("username", ""), config.get("password", ""),
                      params["validate_certs"])

    world = World(aws=module.client, kube=lambda: connect(module), send=send, storage=storage(module), params=params)
    if module.params["validate_certs"]:
        module.params["validate_certs"] = None  # being the default, it must not overrule what the kubeconfig says
    probe, failure = follow(hops, params["probe"], world)
    seen = _probe.all_hops(probe, on_minio)
    way = _probe.way(params["bucket"], params["namespace"], on_minio, params["topic"], params["queue"], params["queue_reader"])
    result = {"probe": probe, "hops": seen, "way": way, "table": _probe.table(seen)}
    if failure:
        module.fail_json(msg=failure, **result)
    module.exit_json(changed=not {"record", "upload", "removal"}.isdisjoint(hops), **result)


if __name__ == "__main__":
    main()
