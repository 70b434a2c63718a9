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
  - plugin: gen3.uploads.policy
    plugin_type: lookup
extends_documentation_fragment:
  - gen3.uploads.attributes.info
  - gen3.uploads.policy
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
from ansible_collections.gen3.uploads.plugins.module_utils._aws.policy_document import OF_RESOURCES, OPTIONS, REQUIRED_IF, problems, statements


def main():
    """Run the module."""
    module = AnsibleModule(
        argument_spec={**OPTIONS, "existing": {"type": "json"}, "remove_sids": {"type": "list", "elements": "str", "default": []}},
        required_if=REQUIRED_IF, supports_check_mode=True)
    if found := problems(module.params):
        module.fail_json(msg=" ".join(found))
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
