#!/usr/bin/python
# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

DOCUMENTATION = r"""
module: queue_redrive
short_description: Send the messages of the dead-letter queue back to the pipeline
description:
  - Messages come to the dead-letter queue after they were received many times, for example while ssjdispatcher could make no Jobs.
    This module sends them back to their queue.
  - A message that ssjdispatcher cannot digest would end it again. Such messages stay where they are, and are reported.
  - Each message that stays is there for others again at the end.
  - In check mode nothing is sent. The messages are received all the same, and are there for others again at the end.
author:
  - Gen3 Uploads Contributors (@gen3-uploads)
options:
  queue_url:
    description: URL of the queue that ssjdispatcher reads.
    type: str
    required: true
  dead_letter_queue_url:
    description: URL of its dead-letter queue.
    type: str
    required: true
  most:
    description: How many messages to look at, at most.
    type: int
    default: 10000
seealso:
  - module: gen3.uploads.upload_reindex
extends_documentation_fragment:
  - gen3.uploads.attributes
  - gen3.uploads.attributes.aws
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
attributes:
  diff_mode:
    support: none
    description: Messages are reported in RV(sent) and RV(left).
"""

EXAMPLES = r"""
- name: Send what ssjdispatcher can digest back to its queue
  gen3.uploads.queue_redrive:
    region: us-east-1
    queue_url: https://sqs.us-east-1.amazonaws.com/123456789012/Gen3Queue
    dead_letter_queue_url: https://sqs.us-east-1.amazonaws.com/123456789012/Gen3Queue-dlq
"""

RETURN = r"""
sent:
  description: The objects whose messages were sent back, or in check mode would be, as their messages write them.
  returned: success
  type: list
  elements: str
  sample: ["s3://gen3-bucket/0f5c1c1e-0d3a-4f0e-9a50-2f6a4f6c7b11/sample.txt"]
left:
  description: The ids of the messages that stay in the dead-letter queue, each with the reason.
  returned: success
  type: dict
  sample: {"5fea7756-0ea4-451a-a703-a558b933e274": "its Message is no text"}
more:
  description: Whether O(most) was reached, so that there may be more messages.
  returned: success
  type: bool
  sample: false
"""

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.gen3.uploads.plugins.module_utils._core.runner import run_module
from ansible_collections.gen3.uploads.plugins.module_utils._aws import client as aws
from ansible_collections.gen3.uploads.plugins.module_utils._reindex import redrive


def main():
    """Run the module."""
    module = AnsibleAWSModule(
        argument_spec={
            **aws.HIDDEN_ACCESS_KEY,
            "queue_url": dict(type="str", required=True),
            "dead_letter_queue_url": dict(type="str", required=True),
            "most": dict(type="int", default=10000),
        },
        supports_check_mode=True,
    )
    options = module.params
    if options["most"] < 1:
        module.fail_json(msg="most must be 1 or more.")

    def work():
        aws.required_region(module)
        found = redrive.run(aws.client(module, "sqs"), options["queue_url"], options["dead_letter_queue_url"], options["most"],
                            module.check_mode)
        return {"changed": bool(found["sent"]), **found}

    run_module(module, work)


if __name__ == "__main__":
    main()
