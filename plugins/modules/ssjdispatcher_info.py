#!/usr/bin/python
# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Look at a live ssjdispatcher and at its configuration."""
from __future__ import annotations

DOCUMENTATION = r"""
module: ssjdispatcher_info
short_description: Look at a live ssjdispatcher and check its configuration
description:
  - Finds the ssjdispatcher of a Gen3 data commons in Kubernetes, and says how it is set up and who manages its objects.
  - Checks C(credentials.json) and C(job_images) for what would crash ssjdispatcher or let it throw messages away, since it
    hardly checks them itself.
  - What works but deserves attention becomes a warning.
  - Reads each object once. Nothing that it returns holds a value from a Secret.
extends_documentation_fragment:
  - kubernetes.core.k8s_auth_options
  - gen3.uploads.attributes.info
  - gen3.uploads.attributes.k8s
options:
  namespace:
    description: Namespace of the Deployment.
    type: str
    default: default
  deployment:
    description:
      - Name of the Deployment. By default V(ssjdispatcher), the name in gen3-helm, or else V(ssjdispatcher-deployment), that
        in cloud-automation.
    type: str
requirements:
  - kubernetes >= 24.2.0
notes:
  - Patterns are judged by the Python package C(google-re2), as Go understands them. Without it (it has no wheel for every Python),
    plain patterns are judged all the same, and others are warned about.
seealso:
  - module: gen3.uploads.ssjdispatcher
author:
  - Gen3 Uploads Contributors (@gen3-uploads)
"""

EXAMPLES = r"""
- name: Look for faults in the live configuration
  gen3.uploads.ssjdispatcher_info:
    namespace: default
  register: ssjdispatcher

- name: See what is wrong
  ansible.builtin.debug:
    var: ssjdispatcher.problems
"""

RETURN = r"""
installation:
  description:
    - How ssjdispatcher is set up. Without a Deployment, C(deployment), C(flavour), C(replicas) and C(service_account) are
      null, and the rest are the names that both known installers use.
  returned: success
  type: dict
  contains:
    deployment:
      description: Name of the Deployment.
      type: str
      sample: ssjdispatcher
    flavour:
      description: What installs it under that name, V(gen3-helm) or V(cloud-automation), else V(other).
      type: str
      sample: gen3-helm
    namespace:
      description: Namespace of the Deployment, its Secret and its ConfigMap.
      type: str
      sample: default
    replicas:
      description: Number of pods desired.
      type: int
      sample: 1
    service_account:
      description: ServiceAccount of the pods.
      type: str
      sample: ssjdispatcher-sa
    job_namespace:
      description: Namespace of the Jobs (GEN3_NAMESPACE), or null if it is not set.
      type: str
      sample: default
    job_num_max:
      description: More than this number of Jobs running makes ssjdispatcher wait.
      type: int
      sample: 10
    job_service_account_exists:
      description: Whether the Jobs' namespace has a ServiceAccount C(ssjdispatcher-job-sa).
      type: bool
      sample: true
    region:
      description: The region whose SQS is asked today, or null if none is in force.
      type: str
      sample: us-east-1
    secret:
      description: Name and key of the Secret that is mounted as C(credentials.json), or null.
      type: dict
      sample: {name: ssjdispatcher-creds, key: credentials.json}
    config_map:
      description: Name and key of the ConfigMap that JOB_IMAGES comes from, or null.
      type: dict
      sample: {name: manifest-ssjdispatcher, key: job_images}
    role_bindings:
      description: RoleBindings in the Jobs' namespace that give rights to the ServiceAccount of the pods.
      type: list
      elements: dict
      sample: [{name: ssjdispatcher-binding, role: ClusterRole admin, created_by_us: false}]
    owners:
      description:
        - Who else writes to an object. C(manager) is V(helm), V(flux-helm) (a HelmRelease of Flux), V(argocd), or one that
          takes a change back by itself, V(controller) (such as External Secrets), V(vault), V(csi), V(sealed-secrets),
          V(flux), V(config-sync) or V(replicator).
      type: list
      elements: dict
      sample:
        - kind: Secret
          name: ssjdispatcher-creds
          namespace: default
          manager: helm
          manager_name: gen3
problems:
  description: What crashes or silences ssjdispatcher; one sentence each.
  returned: success
  type: list
  elements: str
  sample:
    - "In credentials.json of Secret default/ssjdispatcher-creds: SQS.url is empty: ssjdispatcher receives nothing; set it to the
      URL of the queue."
"""

from ansible_collections.gen3.uploads.plugins.module_utils._core.runner import run_module
from ansible_collections.gen3.uploads.plugins.module_utils._k8s.client import AUTH_ARG_SPEC, connect
from ansible_collections.gen3.uploads.plugins.module_utils._ssjdispatcher.preflight import Options, make_plan
from ansible_collections.kubernetes.core.plugins.module_utils.k8s.core import AnsibleK8SModule


def main():
    module = AnsibleK8SModule(
        argument_spec={**AUTH_ARG_SPEC, "namespace": {"type": "str", "default": "default"}, "deployment": {"type": "str"}},
        supports_check_mode=True,
    )

    def work():
        plan = make_plan(connect(module), module.params["namespace"], module.params["deployment"], Options())
        return {"changed": False, "installation": plan.description, "problems": plan.problems, "warnings": plan.warnings}

    run_module(module, work)


if __name__ == "__main__":
    main()
