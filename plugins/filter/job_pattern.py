# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The pattern with which ssjdispatcher takes the uploads to buckets."""
from __future__ import annotations

from ansible_collections.gen3.uploads.plugins.plugin_utils.deferred import deferred


class FilterModule:
    """The filter job_pattern."""

    def filters(self):
        """Return name -> function."""
        return {
            "job_pattern": deferred("_ssjdispatcher.patterns", "for_buckets"),
        }
