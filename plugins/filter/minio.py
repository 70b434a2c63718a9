# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the settings of the role minio lack, and what its notification targets are for the server."""
from __future__ import annotations

from ansible_collections.gen3.uploads.plugins.module_utils._minio import directories, settings, targets


class FilterModule:
    """The filters of the role minio."""

    def filters(self):
        """Return name -> function."""
        return {
            "minio_directory_problems": directories.problems,
            "minio_log_reason": targets.log_reason,
            "minio_missing_targets": targets.missing,
            "minio_problems": settings.problems,
            "minio_target_problems": targets.problems,
            "minio_targets": targets.overview,
        }
