#!/usr/bin/python
# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

DOCUMENTATION = r"""
module: upload_policy
short_description: Generate the IAM and resource policies of the upload pipeline
description:
  - Generates a policy as a document, for users who apply it with another tool.
  - Needs no access to AWS. The same options give the same document, byte for byte.
  - M(gen3.uploads.sns_sqs_channel) sets the policies of topic and queues by itself and returns the others.
author:
  - Gen3 Uploads Contributors (@gen3-uploads)
options:
  kind:
    description:
      - What the policy is for.
      - V(topic) and V(queue) are resource policies, V(topic_key) and V(queue_key) parts of the policies of KMS keys. The
        policy of the dead-letter queue is that of kind V(queue) with its name as O(queue).
      - V(dispatcher), V(job), V(bridge_to_topic) and V(bridge_to_queue) are for the identities that ssjdispatcher, the
        indexing Jobs and the event bridge in front of MinIO run with, V(queue_reader) for that of an event bridge that reads the queue
        in place of ssjdispatcher.
      - V(operator) is for the identity that runs this collection. With O(topic_kms_key) and O(queue_kms_key) it may use these keys,
        as reindexing has to.
    type: str
    required: true
    choices: [topic, queue, topic_key, queue_key, dispatcher, job, bridge_to_topic, bridge_to_queue, queue_reader, operator]
  region:
    description: Region of topic and queue. It also tells the partition.
    type: str
    required: true
  account_id:
    description: Account of topic and queue.
    type: str
    required: true
  topic:
    description: Name of the topic.
    type: str
  queue:
    description: Name of the queue.
    type: str
  dead_letter_queue:
    description: Name of the dead-letter queue. The default is the name of the queue with C(-dlq) appended.
    type: str
  buckets:
    description: The buckets.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: Name of the bucket.
        type: str
        required: true
      account_id:
        description: The account that the bucket belongs to. The default is O(account_id).
        type: str
  topic_actions:
    description: What S3 may do with the topic.
    type: list
    elements: str
    default: ["sns:Publish"]
  topic_kms_key:
    description: Customer managed KMS key (id, alias or ARN) of the topic.
    type: str
  queue_kms_key:
    description: Customer managed KMS key (id, alias or ARN) of the queues.
    type: str
  bucket_kms_keys:
    description: Customer managed KMS keys (id, alias or ARN) of the objects.
    type: list
    elements: str
    default: []
  existing:
    description: A policy document to merge the statements into, by their Sid. Its other statements stay.
    type: json
  remove_sids:
    description: Sids of statements to remove from O(existing).
    type: list
    elements: str
    default: []
seealso:
  - module: gen3.uploads.sns_sqs_channel
extends_documentation_fragment:
  - gen3.uploads.attributes.info
"""

EXAMPLES = r"""
- name: Generate the policy of the operator
  gen3.uploads.upload_policy:
    kind: operator
    region: us-east-1
    account_id: "123456789012"
    topic: ssj-topic
    queue: Gen3Queue
    buckets:
      - name: gen3-bucket
  register: operator

- name: Merge what S3 needs into the policy of an existing topic
  gen3.uploads.upload_policy:
    kind: topic
    region: us-east-1
    account_id: "123456789012"
    topic: ssj-topic
    buckets:
      - name: gen3-bucket
    existing: "{{ lookup('ansible.builtin.file', 'topic-policy.json') }}"
  register: topic
"""

RETURN = r"""
policy:
  description: The policy document.
  returned: success
  type: dict
  sample: {"Version": "2012-10-17", "Statement": []}
policies:
  description:
    - The policy in documents of at most 6,144 characters, as IAM takes them, to be attached to the same identity. More than one where
      RV(policy) is longer, which a warning tells.
    - The policies of topics, queues and keys are always one document.
  returned: success
  type: list
  elements: dict
statements:
  description: The statements generated, without those of O(existing).
  returned: success
  type: list
  elements: dict
json:
  description: The policy document as text.
  returned: success
  type: str
"""

import json

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.gen3.uploads.plugins.module_utils._aws import policy
from ansible_collections.gen3.uploads.plugins.module_utils._aws import policy_merge
from ansible_collections.gen3.uploads.plugins.module_utils._aws.arn import Scope, is_account_id

OF_RESOURCES = ("topic", "queue", "topic_key", "queue_key")
NEEDS_TOPIC = ("topic", "queue", "queue_key", "bridge_to_topic", "operator")
NEEDS_QUEUE = ("queue", "dispatcher", "bridge_to_queue", "queue_reader", "operator")


def statements(options):
    """Return the statements that the module's options describe."""
    scope = Scope(options["region"], options["account_id"])
    topic_arn = scope.arn("sns", options["topic"])
    queue_arn = scope.arn("sqs", options["queue"])
    buckets = options["buckets"]
    dead_letter_queue = options["dead_letter_queue"] or f"{options['queue']}-dlq"
    generators = {
        "topic": lambda: policy.topic(scope, topic_arn, buckets, options["topic_actions"]),
        "queue": lambda: policy.queue(queue_arn, topic_arn),
        "topic_key": lambda: policy.topic_key(scope, buckets),
        "queue_key": lambda: policy.queue_key(topic_arn),
        "dispatcher": lambda: policy.dispatcher(scope, queue_arn, options["queue_kms_key"]),
        "queue_reader": lambda: policy.queue_reader(scope, queue_arn, options["queue_kms_key"]),
        "job": lambda: policy.job(scope, buckets, options["bucket_kms_keys"]),
        "bridge_to_topic": lambda: policy.bridge_to_topic(scope, topic_arn, options["topic_kms_key"]),
        "bridge_to_queue": lambda: policy.bridge_to_queue(scope, queue_arn, options["queue_kms_key"]),
        "operator": lambda: policy.operator(
            scope, topic_arn, queue_arn, scope.arn("sqs", dead_letter_queue), [scope.bucket_arn(bucket["name"]) for bucket in buckets],
            options["topic_kms_key"], options["queue_kms_key"]),
    }
    return generators[options["kind"]]()


def main():
    """Run the module."""
    module = AnsibleModule(
        argument_spec=dict(
            kind=dict(type="str", required=True, choices=[
                "topic", "queue", "topic_key", "queue_key", "dispatcher", "job", "bridge_to_topic", "bridge_to_queue",
                "queue_reader", "operator",
            ]),
            region=dict(type="str", required=True),
            account_id=dict(type="str", required=True),
            topic=dict(type="str"),
            queue=dict(type="str"),
            dead_letter_queue=dict(type="str"),
            buckets=dict(type="list", elements="dict", default=[], options=dict(
                name=dict(type="str", required=True),
                account_id=dict(type="str"),
            )),
            topic_actions=dict(type="list", elements="str", default=list(policy.TOPIC_ACTIONS)),
            topic_kms_key=dict(type="str", no_log=False),
            queue_kms_key=dict(type="str", no_log=False),
            bucket_kms_keys=dict(type="list", elements="str", default=[], no_log=False),
            existing=dict(type="json"),
            remove_sids=dict(type="list", elements="str", default=[]),
        ),
        required_if=(
            [("kind", kind, ["topic"]) for kind in NEEDS_TOPIC]
            + [("kind", kind, ["queue"]) for kind in NEEDS_QUEUE]
        ),
        supports_check_mode=True,
    )
    accounts = [module.params["account_id"], *(bucket["account_id"] for bucket in module.params["buckets"])]
    for account in accounts:
        if account and not is_account_id(account):
            module.fail_json(msg=f"{account} is not a 12-digit account number; put it in quotes to keep a leading zero.")
    try:
        existing = policy_merge.parse(module.params["existing"])
    except ValueError as error:
        module.fail_json(msg=f"The document given as existing is not a policy ({error}).")
    generated = statements(module.params)
    merged = policy_merge.merge(existing, generated, module.params["remove_sids"])
    policies = [merged] if module.params["kind"] in OF_RESOURCES else policy.split(merged)
    if len(policies) > 1:
        module.warn(f"The policy has {policy.size(merged)} characters and IAM takes {policy.IDENTITY_POLICY_LIMIT}: make the "
                    f"{len(policies)} documents of the result policies, and attach all to the same identity. By default IAM attaches up "
                    "to 10.")
    module.exit_json(changed=False, policy=merged, policies=policies, statements=generated,
                     json=json.dumps(merged, separators=(",", ":")))


if __name__ == "__main__":
    main()
