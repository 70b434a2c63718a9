#!/usr/bin/python
# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

DOCUMENTATION = r"""
module: upload_reindex
short_description: Send the events of files that were never indexed again, and repair the status of those that were
description:
  - Looks at a batch of a bucket's objects and at their records in indexd, and sends for each object whose record has no
    hashes the event of its upload again, through one of the entrances of the pipeline.
  - This repairs what was uploaded before the pipeline was set up, or while its events were lost. An event for a file that is
    already being indexed does no harm.
  - An object without a record, or whose key has no GUID, is reported only. Its Job could not index it.
  - With O(metadata_url), a file that is indexed, but whose C(_upload_status) in the metadata service is not C(uploaded), gets that
    status, as its Job would have set it. Such files were indexed while the Jobs' password of the metadata service was an old one, and
    no later Job looks at them. A file without a metadata object needs no status.
  - The bucket is read page by page, so that memory does not grow with it.
  - User and password of the metadata service are those that ssjdispatcher gives to its Jobs. The module reads them from the
    cluster's Secret at each call, and they appear in no result.
  - In check mode nothing is sent or set.
author:
  - Gen3 Uploads Contributors (@gen3-uploads)
options:
  bucket:
    description: The bucket, on Amazon S3 or, with O(minio_url), on MinIO.
    type: str
    required: true
  prefix:
    description: Only keys that begin with this.
    type: str
    default: ""
  suffix:
    description: Only keys that end with this.
    type: str
    default: ""
  minio_url:
    description: Scheme, host and port of the MinIO server that the bucket is on.
    type: str
  minio_access_key:
    description: Access key of a user who may list the bucket.
    type: str
  minio_secret_key:
    description: The secret that belongs to O(minio_access_key).
    type: str
  minio_ca_path:
    description: File with the certificates of the authorities to trust for O(minio_url).
    type: path
  topic_arn:
    description:
      - The topic of the pipeline, to which the events are published as Amazon S3 does. Its other subscribers receive them too.
      - Exactly one of O(topic_arn), O(queue_url) and O(bridge_url) is required.
    type: str
  queue_url:
    description: The queue of the pipeline, to which the events are sent in the envelope of a topic.
    type: str
  bridge_url:
    description: The event bridge, to which the events are posted as MinIO does.
    type: str
  bridge_token:
    description: The token with which MinIO and the bridge know each other. Required with O(bridge_url).
    type: str
  bridge_ca_path:
    description: File with the certificates of the authorities to trust for O(bridge_url).
    type: path
  indexd_url:
    description: Address of indexd as this host reaches it, which ends with C(/index).
    type: str
    required: true
  metadata_url:
    description:
      - Address of the metadata service as this host reaches it. Without it no status is looked at.
      - Each indexed file costs a call, a few at once. Where the service lets nobody read without a token
        (C(FORCE_AUTHZ_CHECK_FOR_METADATA_QUERIES)), that call is an update of nothing with the Jobs' login, in check mode too.
    type: str
  namespace:
    description: Namespace of ssjdispatcher, for O(metadata_url).
    type: str
    default: default
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
  image:
    description:
      - Image of the Jobs. With Gen3's stock image C(indexs3client), objects whose names it cannot index are only reported.
    type: str
  marker:
    description: The key after which to begin, RV(marker) of the batch before. Nothing begins with the first key.
    type: str
  batch:
    description: How many objects to look at, at least; a page is up to 1,000.
    type: int
    default: 10000
  rate:
    description: How many events to send a second, at most. ssjdispatcher takes one a second.
    type: float
    default: 1
  min_age:
    description:
      - Leave objects alone that are younger than so many seconds, since their Jobs may be on their way. An older one counts whatever
        its status, V(processing) too.
    type: int
    default: 900
  timeout:
    description:
      - For how many seconds to try again when indexd, the metadata service or the bridge cannot answer just now. The bridge takes no event while
        as many Jobs run as ssjdispatcher may start.
    type: int
    default: 300
  validate_certs:
    description:
      - Whether to verify the certificates of AWS, of MinIO, of the API server, of the bridge, of indexd and of the metadata service.
    type: bool
    default: true
    aliases: [verify_ssl]
extends_documentation_fragment:
  - gen3.uploads.attributes
  - gen3.uploads.attributes.aws_k8s
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - kubernetes.core.k8s_auth_options
requirements:
  - minio >= 7.2.17, < 8, with O(minio_url)
attributes:
  diff_mode:
    support: none
    details: What is stuck is in RV(stuck), and whose status is not right in RV(stale_status).
  idempotent:
    support: partial
    details: Once the Jobs have run, a second run sends nothing; before, it sends the same events again.
"""

EXAMPLES = r"""
- name: Send the events of the first 10,000 objects again, where they are stuck
  gen3.uploads.upload_reindex:
    bucket: gen3-bucket
    topic_arn: arn:aws:sns:us-east-1:123456789012:ssj-topic
    indexd_url: http://127.0.0.1:8001/index
    # also for the status of what is indexed
    metadata_url: http://127.0.0.1:8002
    region: us-east-1
  register: batch

- name: Go on where that ended
  gen3.uploads.upload_reindex:
    bucket: gen3-bucket
    topic_arn: arn:aws:sns:us-east-1:123456789012:ssj-topic
    indexd_url: http://127.0.0.1:8001/index
    region: us-east-1
    marker: "{{ batch.marker }}"
  when: batch.marker is not none

- name: Do the same for a bucket on MinIO, without AWS
  gen3.uploads.upload_reindex:
    bucket: gen3-local
    minio_url: https://minio.example.org:9000
    minio_access_key: "{{ minio_root_user }}"
    minio_secret_key: "{{ minio_root_password }}"
    bridge_url: https://node.example.org:30443/events
    bridge_token: "{{ vault_bridge_token }}"
    indexd_url: http://127.0.0.1:8001/index
"""

RETURN = r"""
marker:
  description: The last key of this batch, with which the next begins; null at the end of the bucket.
  returned: success
  type: str
  sample: 9b4fd6a2-0d0f-4f0a-8f51-2f5c0b0e7a11/sample.bam
percent_done:
  description:
    - About how much of the bucket is read after this batch, estimated from the GUID in the last key; null where it has none.
    - Where only some of the keys have a prefix before the GUID, the figure starts anew with them.
  returned: success
  type: int
  sample: 60
counts:
  description:
    - C(seen) objects; of these C(stuck), with a record without hashes, C(sent) events, C(too_young) with such a record,
      C(without_record), C(without_guid) in the key, C(folders) (empty objects whose keys end with a slash, which are no
      uploads), C(damaged), with content and a record of an empty file, C(replaced), of another size than their record says,
      C(odd_names), which O(image) can never index, and C(indexed), not counting those younger than O(min_age).
    - Of the indexed, C(stale_status) have another C(_upload_status) than V(uploaded), and C(status_set) have got it now.
  returned: success
  type: dict
  sample:
    {seen: 10000, stuck: 3, sent: 3, too_young: 0, without_record: 1, without_guid: 0, folders: 0, damaged: 0, replaced: 0, odd_names: 0,
     indexed: 9996, stale_status: 2, status_set: 2}
stuck:
  description: Up to 100 keys of objects that were stuck.
  returned: success
  type: list
  elements: str
without_record:
  description: Up to 100 keys of objects without a record.
  returned: success
  type: list
  elements: str
without_guid:
  description: Up to 100 keys without a GUID.
  returned: success
  type: list
  elements: str
damaged:
  description:
    - Up to 100 keys of objects with content whose records have size 0 and the hashes of an empty file, as indexing an empty
      folder of the same GUID leaves them. indexd lets nobody fill a record twice, so these files must be uploaded anew.
  returned: success
  type: list
  elements: str
replaced:
  description:
    - Up to 100 keys of objects whose records have another size, since the object was replaced after it was indexed. indexd lets nobody
      fill a record twice, so the new content must be uploaded as a file of its own.
  returned: success
  type: list
  elements: str
odd_names:
  description: Up to 100 keys of objects without hashes whose names O(image) cannot index.
  returned: success
  type: list
  elements: str
stale_status:
  description: Up to 100 keys of indexed objects whose status was not V(uploaded), and now is, or in check mode would be.
  returned: success
  type: list
  elements: str
"""

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.gen3.uploads.plugins.module_utils._core.runner import run_module
from ansible_collections.gen3.uploads.plugins.module_utils._aws import client as aws
from ansible_collections.gen3.uploads.plugins.module_utils._event_bridge.settings import authorization
from ansible_collections.gen3.uploads.plugins.module_utils._gen3.services import Metadata, direct
from ansible_collections.gen3.uploads.plugins.module_utils._k8s.client import AUTH_ARG_SPEC, connect
from ansible_collections.gen3.uploads.plugins.module_utils._minio import client as minio
from ansible_collections.gen3.uploads.plugins.module_utils._reindex import batch
from ansible_collections.gen3.uploads.plugins.module_utils._reindex import destinations
from ansible_collections.gen3.uploads.plugins.module_utils._reindex import listing
from ansible_collections.gen3.uploads.plugins.module_utils._core.json_http import prepare_post
from ansible_collections.gen3.uploads.plugins.module_utils._ssjdispatcher.image_config import read_image_config

DESTINATIONS = ("topic_arn", "queue_url", "bridge_url")
OPTIONS = dict(
    bucket=dict(type="str", required=True),
    prefix=dict(type="str", default=""),
    suffix=dict(type="str", default=""),
    minio_url=dict(type="str"),
    minio_access_key=dict(type="str", no_log=False),
    minio_secret_key=dict(type="str", no_log=True),
    minio_ca_path=dict(type="path"),
    topic_arn=dict(type="str"),
    queue_url=dict(type="str"),
    bridge_url=dict(type="str"),
    bridge_token=dict(type="str", no_log=True),
    bridge_ca_path=dict(type="path"),
    indexd_url=dict(type="str", required=True),
    metadata_url=dict(type="str"),
    namespace=dict(type="str", default="default"),
    configuration_secret=dict(type="str", default="ssjdispatcher-creds", no_log=False),
    configuration_key=dict(type="str", default="credentials.json", no_log=False),
    job_name=dict(type="str"),
    image=dict(type="str"),
    marker=dict(type="str"),
    batch=dict(type="int", default=10000),
    rate=dict(type="float", default=1),
    min_age=dict(type="int", default=900),
    timeout=dict(type="int", default=300),
    validate_certs=dict(type="bool", default=True, aliases=["verify_ssl"]),
)


def pages(module, options):
    """Return the listing of the bucket where it is."""
    if not options["minio_url"]:
        aws.required_region(module)
        return listing.s3_pages(aws.client(module, "s3"), options)
    return listing.minio_pages(minio.Connection(minio.server_options(options)).s3, options)


def sender(module, options):
    """Return what sends an event through the destination that is given."""
    bucket = options["bucket"]
    if options["bridge_url"]:
        post = prepare_post(options["bridge_url"], options["timeout"], options["validate_certs"], options["bridge_ca_path"],
                            {"Authorization": authorization(options["bridge_token"])})
        return destinations.bridge(post, options["bridge_url"], bucket, options["region"] or "")
    region = aws.required_region(module)
    if options["queue_url"]:
        return destinations.queue(aws.client(module, "sqs"), options["queue_url"], bucket, region)
    return destinations.topic(aws.client(module, "sns"), options["topic_arn"], bucket, region)


def metadata_service(module, options):
    """Return the metadata service with the login that the Jobs use now; None where its address is not given."""
    if not options["metadata_url"]:
        return None
    if options["validate_certs"]:
        module.params["validate_certs"] = None  # being the default, it must not overrule what the kubeconfig says
    config = read_image_config(connect(module), options).get("metadataService") or {}
    user = config.get("username") or ""
    return Metadata(direct(options["metadata_url"], user, config.get("password") or "", options["validate_certs"], options["timeout"]), user)


def main():
    """Run the module."""
    module = AnsibleAWSModule(
        argument_spec={**AUTH_ARG_SPEC, **aws.HIDDEN_ACCESS_KEY, **OPTIONS},
        required_one_of=[DESTINATIONS],
        mutually_exclusive=[DESTINATIONS],
        required_together=[("minio_url", "minio_access_key", "minio_secret_key"), ("bridge_url", "bridge_token")],
        supports_check_mode=True,
    )
    options = {**module.params, "job_name": module.params["job_name"] or ("indexing-minio" if module.params["minio_url"] else "indexing")}
    if options["batch"] < 1 or options["rate"] <= 0:
        module.fail_json(msg="batch must be 1 or more, and rate above 0.")
    if options["minio_url"]:
        minio.require_library(module)
    base = options["indexd_url"].rstrip("/").removesuffix("/index")

    def work():
        indexd = prepare_post(f"{base}/bulk/documents", options["timeout"], options["validate_certs"])
        send, found = sender(module, options), pages(module, options)
        return batch.run(found, indexd, None if module.check_mode else send, options, metadata_service(module, options))

    run_module(module, work)


if __name__ == "__main__":
    main()
