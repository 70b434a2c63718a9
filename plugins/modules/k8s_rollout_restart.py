#!/usr/bin/python
# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Restart a Deployment when its pods started with another configuration."""

from __future__ import annotations

DOCUMENTATION = r"""
module: k8s_rollout_restart
short_description: Restart a Deployment when its configuration has changed since its pods started
description:
  - Pods do not notice a change of a Secret or ConfigMap that they take environment variables or C(subPath) mounts
    from, nor of the annotations of their ServiceAccount. This module restarts a Deployment once for each such change,
    no matter who made it, when, and whether an earlier run was interrupted between the change and the restart.
  - It records the C(uid) and C(resourceVersion) of each object in the annotation C(gen3.uploads/configuration) of the
    pod template, and restarts where an object's are not those on record, so also when nothing is on record yet. These
    two identify an object's content without telling anything about it; the content itself is not even read.
  - Whether it restarts or not, the module waits until the rollout is finished, as C(kubectl rollout status) does, so
    that success means that all pods run with the present configuration.
  - In check mode the restart is sent as a server-side dry run, and nothing is waited for.
extends_documentation_fragment:
  - kubernetes.core.k8s_auth_options
  - gen3.uploads.attributes
  - gen3.uploads.attributes.k8s
options:
  name:
    description: Name of the Deployment.
    type: str
    required: true
  namespace:
    description: Namespace of the Deployment and of its configuration.
    type: str
    required: true
  configuration:
    description: The objects that the pods read only when they start.
    type: list
    elements: dict
    required: true
    suboptions:
      kind:
        description: Kind of the object.
        type: str
        choices: [ConfigMap, Secret, ServiceAccount]
        required: true
      name:
        description: Name of the object.
        type: str
        required: true
      pending:
        description:
          - In check mode, whether an earlier task would have changed the object, so that the restart that would follow
            is predicted. Without check mode this option has no effect.
        type: bool
        default: false
  wait:
    description: Whether to wait until the rollout is finished.
    type: bool
    default: true
  wait_timeout:
    description: How many seconds to wait at most.
    type: int
    default: 300
requirements:
  - kubernetes >= 24.2.0
seealso:
  - module: gen3.uploads.k8s_merge_document
author:
  - Gen3 Uploads Contributors (@gen3-uploads)
"""

EXAMPLES = r"""
- name: Let ssjdispatcher run with its present configuration
  gen3.uploads.k8s_rollout_restart:
    name: ssjdispatcher
    namespace: default
    configuration:
      - {kind: Secret, name: ssjdispatcher-creds, pending: "{{ merged is changed }}"}
      - {kind: ConfigMap, name: manifest-ssjdispatcher, pending: "{{ merged is changed }}"}
      - {kind: ServiceAccount, name: ssjdispatcher-sa}
    wait_timeout: 600
"""

RETURN = r"""
restarted:
  description: Whether the Deployment was restarted, or in check mode would be.
  returned: success
  type: bool
  sample: true
changes:
  description: The restart, if any.
  returned: success
  type: list
  elements: dict
  sample: [{action: update, resource: Deployment default/ssjdispatcher, attribute: restart}]
diff:
  description: The versions of the configuration that the pods started with and will start with.
  returned: success
  type: dict
  sample:
    before: {"Deployment default/ssjdispatcher: restart": {"ConfigMap/manifest-ssjdispatcher": null}}
    after: {"Deployment default/ssjdispatcher: restart": {"ConfigMap/manifest-ssjdispatcher": "6ad9d39c/1234"}}
"""

from ansible_collections.gen3.uploads.plugins.module_utils._core.runner import run_module
from ansible_collections.gen3.uploads.plugins.module_utils._core.changes import outcome
from ansible_collections.gen3.uploads.plugins.module_utils._core.names import describe
from ansible_collections.gen3.uploads.plugins.module_utils._k8s import rollout
from ansible_collections.gen3.uploads.plugins.module_utils._k8s.client import AUTH_ARG_SPEC, connect
from ansible_collections.kubernetes.core.plugins.module_utils.k8s.core import AnsibleK8SModule

CONFIGURATION = {
    "kind": {"type": "str", "choices": ["ConfigMap", "Secret", "ServiceAccount"], "required": True},
    "name": {"type": "str", "required": True},
    "pending": {"type": "bool", "default": False},
}


def restart(module):
    kube = connect(module)
    name, namespace = module.params["name"], module.params["namespace"]
    deployment = rollout.observe_deployment(kube, name, namespace)
    changes = rollout.restart(kube, deployment, module.params["configuration"], module.check_mode)
    if deployment["spec"].get("replicas") == 0:
        module.warn(f"{describe('Deployment', name, namespace)} has zero replicas: nothing runs until it is scaled up.")
    if module.params["wait"] and not module.check_mode:
        rollout.wait(kube, name, namespace, module.params["wait_timeout"])
    return {"restarted": bool(changes), **outcome(changes)}


def main():
    module = AnsibleK8SModule(
        argument_spec={
            **AUTH_ARG_SPEC,
            "name": {"type": "str", "required": True},
            "namespace": {"type": "str", "required": True},
            "configuration": {"type": "list", "elements": "dict", "required": True, "options": CONFIGURATION},
            "wait": {"type": "bool", "default": True},
            "wait_timeout": {"type": "int", "default": 300},
        },
        supports_check_mode=True,
    )
    run_module(module, lambda: restart(module))


if __name__ == "__main__":
    main()
