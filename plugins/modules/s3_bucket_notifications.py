#!/usr/bin/python
# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

DOCUMENTATION = r"""
module: s3_bucket_notifications
short_description: Converge the rules by which S3 buckets send events to SNS topics
description:
  - Puts rules into the notification configurations of any number of buckets in one process. All buckets are planned
    before the first is changed.
  - Rules are owned by their Id and topic. Everything else in the configuration stays, that is the rules for Lambda functions,
    queues and other topics, and the setting of EventBridge.
  - Rules are compared by meaning. Neither the order of events nor the case of the names of filters makes a change.
  - Where rules of others already send all of the events and keys to the topic, no rule is added, and RV(notes) tells so.
author:
  - Gen3 Uploads Contributors (@gen3-uploads)
options:
  state:
    description:
      - With V(present) the rules are in force.
      - With V(absent) the rules with these Ids are removed, unless they send to another topic. A bucket that does not exist is no
        error then.
    type: str
    choices: [present, absent]
    default: present
  topic_arn:
    description: The topic for all buckets that do not name their own.
    type: str
  buckets:
    description: The rules. A bucket may be named more than once, each time with another O(buckets[].id).
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: Name of the bucket.
        type: str
        required: true
      topic_arn:
        description: ARN of the topic. Required here or in O(topic_arn), unless O(state=absent).
        type: str
      id:
        description: Id of the rule. Naming the Id of an existing rule that sends to the topic takes it over.
        type: str
        default: gen3-uploads
      take_over:
        description:
          - Replace rules of others that send a part of the events or keys to the same topic, and the rule with this O(buckets[].id) that
            sends to another topic. Without it both are refused.
        type: bool
        default: false
      events:
        description:
          - The events to send. The default is the four ways in which an upload completes.
          - ssjdispatcher makes a Job for an event of any kind, so never add removals.
        type: list
        elements: str
        default:
          - s3:ObjectCreated:Put
          - s3:ObjectCreated:Post
          - s3:ObjectCreated:Copy
          - s3:ObjectCreated:CompleteMultipartUpload
      prefix:
        description: Only keys that begin with this.
        type: str
      suffix:
        description: Only keys that end with this.
        type: str
      account_id:
        description: The account that must own the bucket. The call fails if another one owns it.
        type: str
  propagation_timeout:
    description:
      - For how many seconds to retry while S3 answers C(Unable to validate the following destination configurations),
        as it does until the policy of a new topic has spread. Where the answer names a destination that is not of these rules, the module
        fails at once.
    type: int
    default: 60
notes:
  - S3 keeps all rules of a bucket in one document and offers no lock. The module reads the document again right before
    each attempt to write it. A writer that gets between these two calls loses its change.
seealso:
  - module: gen3.uploads.sns_sqs_channel
extends_documentation_fragment:
  - gen3.uploads.attributes
  - gen3.uploads.attributes.aws
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
"""

EXAMPLES = r"""
- name: Send the uploads of two buckets to one topic
  gen3.uploads.s3_bucket_notifications:
    region: us-east-1
    topic_arn: arn:aws:sns:us-east-1:123456789012:ssj-topic
    buckets:
      - name: gen3-bucket
      - name: gen3-bucket-2
        prefix: uploads/

- name: Send what the channels of sns_sqs_channel expect
  gen3.uploads.s3_bucket_notifications:
    region: us-east-1
    buckets: "{{ result.channels | map(attribute='notification_rules') | flatten }}"

- name: Take the rule away
  gen3.uploads.s3_bucket_notifications:
    region: us-east-1
    state: absent
    buckets:
      - name: gen3-bucket
"""

RETURN = r"""
buckets:
  description: The buckets and their rules as the options describe them.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: Name of the bucket.
      returned: success
      type: str
    rules:
      description: The rules in the form of the S3 API.
      returned: success
      type: list
      elements: dict
notes:
  description: Which rules of others do what is wanted, in sentences.
  returned: success
  type: list
  elements: str
changes:
  description: The writes made, or in check mode to be made, in their order.
  returned: success
  type: list
  elements: dict
  sample:
    - action: create
      resource: S3 bucket gen3-bucket
      attribute: notifications gen3-uploads
"""

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.gen3.uploads.plugins.module_utils._core.runner import run_module
from ansible_collections.gen3.uploads.plugins.module_utils._aws import client as aws
from ansible_collections.gen3.uploads.plugins.module_utils._bucket_notifications import converge as notifications
from ansible_collections.gen3.uploads.plugins.module_utils._core.changes import outcome
from ansible_collections.gen3.uploads.plugins.module_utils._core.names import UPLOAD_EVENTS

RULE_OPTIONS = dict(
    name=dict(type="str", required=True),
    topic_arn=dict(type="str"),
    id=dict(type="str", default="gen3-uploads"),
    take_over=dict(type="bool", default=False),
    events=dict(type="list", elements="str", default=list(UPLOAD_EVENTS)),
    prefix=dict(type="str"),
    suffix=dict(type="str"),
    account_id=dict(type="str"),
)


def converge(module):
    """Converge the rules of the buckets and return the module's result, or raise AwsError."""
    rules = notifications.Convergence(module, module.params["buckets"], module.params["topic_arn"])
    if not module.check_mode:
        rules.apply()
    return {**outcome(rules.changes), "notes": rules.notes, "buckets": rules.described()}


def main():
    """Run the module."""
    module = AnsibleAWSModule(
        argument_spec=dict(
            **aws.HIDDEN_ACCESS_KEY,
            state=dict(type="str", choices=["present", "absent"], default="present"),
            topic_arn=dict(type="str"),
            buckets=dict(type="list", elements="dict", required=True, options=RULE_OPTIONS),
            propagation_timeout=dict(type="int", default=60),
        ),
        supports_check_mode=True,
    )
    run_module(module, lambda: converge(module))


if __name__ == "__main__":
    main()
