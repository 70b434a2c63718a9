#!/usr/bin/python
# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

DOCUMENTATION = r"""
module: minio_info
short_description: Read version, region and live notification targets of a MinIO server
description:
  - Reads what a MinIO server says of itself.
  - A server that refused one of its notification targets runs without any of them and is still healthy, so compare
    RV(target_arns) with the targets that you expect.
author:
  - Gen3 Uploads Contributors (@gen3-uploads)
options:
  count_waiting:
    description:
      - Whether to read from the server's metrics too how many events wait for each target. The metrics are up to 10 seconds old.
      - A user other than root needs the right C(admin:Prometheus) for this.
    type: bool
    default: false
extends_documentation_fragment:
  - gen3.uploads.attributes.info
  - gen3.uploads.minio
"""

EXAMPLES = r"""
- name: Read which targets are live
  gen3.uploads.minio_info:
    url: https://minio.example:9000
    access_key: "{{ minio_root_user }}"
    secret_key: "{{ minio_root_password }}"
  register: server
  delegate_to: localhost

- name: Refuse to go on while events wait
  gen3.uploads.minio_info:
    url: https://minio.example:9000
    access_key: "{{ minio_root_user }}"
    secret_key: "{{ minio_root_password }}"
    count_waiting: true
  register: server
  failed_when: server.targets | map(attribute='waiting') | select | length > 0
"""

RETURN = r"""
version:
  description: Version of the server.
  returned: success
  type: str
  sample: "2025-09-07T16:13:09Z"
region:
  description: Region of the server, empty if it has none.
  returned: success
  type: str
  sample: us-east-1
deployment_id:
  description: Id of the deployment.
  returned: success
  type: str
healthy:
  description: Whether the server can serve reads and writes.
  returned: success
  type: bool
target_arns:
  description: The ARNs of the live notification targets, sorted.
  returned: success
  type: list
  elements: str
  sample: ["arn:minio:sqs:us-east-1:GEN3:webhook"]
targets:
  description: The live notification targets.
  returned: success
  type: list
  elements: dict
  contains:
    arn:
      description: ARN of the target.
      returned: success
      type: str
    id:
      description: Id of the target.
      returned: success
      type: str
    type:
      description: Kind of the target.
      returned: success
      type: str
    status:
      description: Whether its receiver answers, V(online), V(offline) or V(unknown).
      returned: success
      type: str
    waiting:
      description: How many events wait for it in its queue; null without O(count_waiting), or when the metrics do not say.
      returned: success
      type: int
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.gen3.uploads.plugins.module_utils._minio import client as minio
from ansible_collections.gen3.uploads.plugins.module_utils._minio import info


def main():
    """Run the module."""
    module = AnsibleModule(
        argument_spec={**minio.CONNECTION, "count_waiting": dict(type="bool", default=False)}, supports_check_mode=True)
    minio.run_module(module, lambda connection: info.read(connection, module.params["count_waiting"]))


if __name__ == "__main__":
    main()
