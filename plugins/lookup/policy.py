# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A policy of the upload pipeline as JSON, for Terraform and other tools."""
from __future__ import annotations

DOCUMENTATION = r"""
name: policy
short_description: The IAM and resource policies of the upload pipeline as JSON
description:
  - Returns a policy as a text of JSON, for a file or a variable of another tool.
  - Needs no access to AWS. The same options give the same text, byte for byte.
author:
  - Gen3 Uploads Contributors (@gen3-uploads)
seealso:
  - module: gen3.uploads.upload_policy
extends_documentation_fragment:
  - gen3.uploads.policy
"""

EXAMPLES = r"""
- name: Write the policy of the Jobs where Terraform reads it
  ansible.builtin.copy:
    content: "{{ lookup('gen3.uploads.policy', kind='job', region='us-east-1', account_id='123456789012', buckets=[{'name': 'gen3-bucket'}]) }}"
    dest: "{{ playbook_dir }}/terraform/job-policy.json"
    mode: "0644"

- name: Show who may take the role of the Jobs
  ansible.builtin.debug:
    msg: "{{ lookup('gen3.uploads.policy', kind='irsa_trust', region='us-east-1', account_id='123456789012',
      oidc_provider='https://oidc.eks.us-east-1.amazonaws.com/id/EXAMPLED539D4633E53DE1B71EXAMPLE',
      service_accounts=['default/ssjdispatcher-job-sa']) }}"
"""

RETURN = r"""
_raw:
  description: The policy document.
  type: list
  elements: str
"""

import json

from ansible.errors import AnsibleError
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.plugins.lookup import LookupBase
from ansible_collections.gen3.uploads.plugins.module_utils._aws import policy
from ansible_collections.gen3.uploads.plugins.module_utils._aws.policy_document import OPTIONS, REQUIRED_IF, problems, statements


class LookupModule(LookupBase):
    """The lookup ``gen3.uploads.policy``."""

    def run(self, terms, variables=None, **kwargs):
        """Return the policy that the options describe."""
        checked = ArgumentSpecValidator(OPTIONS, required_if=REQUIRED_IF).validate(kwargs)
        found = ["it takes options by name only."] if terms else checked.error_messages or problems(checked.validated_parameters)
        if found:
            raise AnsibleError(f"gen3.uploads.policy: {' '.join(found)}")
        return [json.dumps(policy.document(statements(checked.validated_parameters)), indent=2)]
