# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What reindex.yml tells at its end."""
from __future__ import annotations

from ansible_collections.gen3.uploads.plugins.plugin_utils.deferred import deferred


class FilterModule:
    """The filter of reindex.yml."""

    def filters(self):
        """Return name -> function."""
        return {
            "reindex_report": deferred("_reindex.report", "lines"),
        }
