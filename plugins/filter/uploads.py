# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the playbooks' variables lack, and what follows from them."""
from __future__ import annotations

from ansible_collections.gen3.uploads.plugins.plugin_utils.deferred import deferred


class FilterModule:
    """The filters of the playbooks."""

    def filters(self):
        """Return name -> function."""
        return {
            "upload_problems": deferred("_uploads.problems", "problems"),
            "upload_settings": deferred("_uploads.settings", "settings"),
            "upload_minio_policies": deferred("_uploads.settings", "minio_policies"),
            "upload_minio_users": deferred("_uploads.settings", "minio_users"),
        }
