# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options by which modules reach a MinIO server."""
from __future__ import annotations


class ModuleDocFragment:
    """``gen3.uploads.minio``."""

    DOCUMENTATION = r"""
options:
  url:
    description: Scheme, host and port of the server.
    type: str
    required: true
  access_key:
    description:
      - Access key of an administrator.
      - If not set, the value of the environment variable E(MINIO_ACCESS_KEY) is used.
    type: str
    required: true
  secret_key:
    description:
      - The secret that belongs to O(access_key).
      - If not set, the value of the environment variable E(MINIO_SECRET_KEY) is used.
    type: str
    required: true
  ca_path:
    description: File with the certificates of the authorities to trust, on the host that the module runs on.
    type: path
  validate_certs:
    description: Whether to check the certificate of the server.
    type: bool
    default: true
attributes:
  action_group:
    description:
      - Use C(group/gen3.uploads.minio) in C(module_defaults) for the modules of this collection that use MinIO.
    support: full
    membership:
      - gen3.uploads.minio
requirements:
  - minio >= 7.2.17, < 8
"""
