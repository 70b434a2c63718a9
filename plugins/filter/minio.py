# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the settings of the role minio lack, and what its notification targets are for the server."""
from __future__ import annotations

from ansible_collections.gen3.uploads.plugins.plugin_utils.deferred import deferred


class FilterModule:
    """The filters of the role minio."""

    def filters(self):
        """Return name -> function."""
        return {
            "minio_directory_problems": deferred("_minio.directories", "problems"),
            "minio_log_reason": deferred("_minio.targets", "log_reason"),
            "minio_missing_targets": deferred("_minio.targets", "missing"),
            "minio_problems": deferred("_minio.settings", "problems"),
            "minio_release": deferred("_minio.releases", "release"),
            "minio_target_problems": deferred("_minio.targets", "problems"),
            "minio_targets": deferred("_minio.targets", "overview"),
        }
