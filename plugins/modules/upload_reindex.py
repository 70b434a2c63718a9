#!/usr/bin/python
# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

DOCUMENTATION = r"""
module: upload_reindex
short_description: Send the events of files that were never indexed again
description:
  - Looks at a batch of a bucket's objects and at their records in indexd, and publishes for each object whose record has no
    hashes the event that Amazon S3 publishes at an upload, to the topic of the pipeline. Other subscribers of that topic
    receive it too.
  - This repairs what was uploaded before the pipeline was set up, or while its events were lost. An event for a file that is
    already being indexed does no harm.
  - An object without a record, or whose key has no GUID, is reported only. Its Job could not index it.
  - The bucket is read page by page, so that memory does not grow with it.
  - In check mode nothing is sent.
author:
  - Gen3 Uploads Contributors (@gen3-uploads)
options:
  bucket:
    description: The bucket.
    type: str
    required: true
  prefix:
    description: Only keys that begin with this.
    type: str
    default: ""
  topic_arn:
    description: The topic of the pipeline.
    type: str
    required: true
  indexd_url:
    description: Address of indexd as this host reaches it, which ends with C(/index).
    type: str
    required: true
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
  least_age:
    description: Leave objects alone that are younger than so many seconds, since their Jobs may be on their way.
    type: int
    default: 900
extends_documentation_fragment:
  - gen3.uploads.attributes
  - gen3.uploads.attributes.aws
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
attributes:
  diff_mode:
    support: none
    details: What is stuck is in RV(stuck).
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
"""

RETURN = r"""
marker:
  description: The last key of this batch, with which the next begins; null at the end of the bucket.
  returned: success
  type: str
  sample: 9b4fd6a2-0d0f-4f0a-8f51-2f5c0b0e7a11/sample.bam
counts:
  description:
    - C(seen) objects; of these C(stuck), with a record without hashes, C(sent) events, C(too_young) with such a record,
      C(without_record), and C(without_guid) in the key.
  returned: success
  type: dict
  sample: {seen: 10000, stuck: 3, sent: 3, too_young: 0, without_record: 1, without_guid: 0}
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
"""

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.gen3.uploads.plugins.module_utils import _aws_call as aws
from ansible_collections.gen3.uploads.plugins.module_utils import _reindex_batch as batch
from ansible_collections.gen3.uploads.plugins.module_utils._probe_gen3 import Gen3Error, direct


def main():
    """Run the module."""
    module = AnsibleAWSModule(
        argument_spec=dict(
            **aws.HIDDEN_ACCESS_KEY,
            bucket=dict(type="str", required=True),
            prefix=dict(type="str", default=""),
            topic_arn=dict(type="str", required=True),
            indexd_url=dict(type="str", required=True),
            marker=dict(type="str"),
            batch=dict(type="int", default=10000),
            rate=dict(type="float", default=1),
            least_age=dict(type="int", default=900),
        ),
        supports_check_mode=True,
    )
    if module.params["batch"] < 1 or module.params["rate"] <= 0:
        module.fail_json(msg="batch must be 1 or more, and rate above 0.")
    base = module.params["indexd_url"].rstrip("/").removesuffix("/index")
    indexd = direct(base, "", "", module.params["validate_certs"])

    def work():
        try:
            return batch.run(module, indexd)
        except Gen3Error as error:
            raise aws.AwsError(str(error)) from error

    aws.finish(module, work)


if __name__ == "__main__":
    main()
