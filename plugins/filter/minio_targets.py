# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How roles reach the schema of MinIO's notification targets."""
from __future__ import annotations

from ansible_collections.gen3.uploads.plugins.module_utils._minio import targets, validate


class FilterModule:
    """The filters of the role minio."""

    def filters(self):
        """Return name -> function."""
        return {
            "minio_conceal": targets.conceal,
            "minio_former_targets": targets.former,
            "minio_login_problems": validate.login_problems,
            "minio_is_directory": lambda path: isinstance(path, str) and bool(targets.DIRECTORY.fullmatch(path)),
            "minio_target_plan": targets.plan,
            "minio_target_problems": targets.problems,
        }
