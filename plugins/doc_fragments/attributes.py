# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Attributes that the modules of this collection share."""
from __future__ import annotations


class ModuleDocFragment:
    """``gen3.uploads.attributes`` for modules that converge something, ``.info`` for those that only read; ``.aws``,
    ``.k8s`` and ``.aws_k8s`` for the members of action groups."""

    DOCUMENTATION = r"""
options: {}
attributes:
  check_mode:
    support: full
    description: Can run in C(check_mode) and return the changes that a real run would make, without making them.
  diff_mode:
    support: full
    description: Returns what has changed, or in C(check_mode) would change, when run with C(--diff).
  idempotent:
    support: full
    description: A second run with the same options changes nothing.
"""

    INFO = r"""
options: {}
attributes:
  check_mode:
    support: full
    description: Reads only, so that C(check_mode) makes no difference.
  diff_mode:
    support: N/A
    description: Reads only.
  idempotent:
    support: full
    description: Reads only.
"""

    AWS = r"""
options: {}
attributes:
  action_group:
    description:
      - Use C(group/gen3.uploads.aws) in C(module_defaults) for the modules of this collection that use AWS,
        and for those of C(amazon.aws) and C(community.aws).
    support: full
    membership:
      - gen3.uploads.aws
"""

    K8S = r"""
options: {}
attributes:
  action_group:
    description:
      - Use C(group/gen3.uploads.k8s) in C(module_defaults) for the modules of this collection that use
        Kubernetes, and for those of C(kubernetes.core).
    support: full
    membership:
      - gen3.uploads.k8s
"""

    AWS_K8S = r"""
options: {}
attributes:
  action_group:
    description:
      - Use C(group/gen3.uploads.aws) and C(group/gen3.uploads.k8s) in C(module_defaults) for the modules of this
        collection and those of C(amazon.aws), C(community.aws) and C(kubernetes.core).
    support: full
    membership:
      - gen3.uploads.aws
      - gen3.uploads.k8s
"""
