# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How roles reach the schema of MinIO's notification targets."""
from __future__ import annotations

from ansible_collections.gen3.uploads.plugins.module_utils import _notification_targets as targets


class FilterModule:
    """The filters minio_target_problems and minio_target_plan."""

    def filters(self):
        """Return name -> function."""
        return {"minio_target_problems": targets.problems, "minio_target_plan": targets.plan}
