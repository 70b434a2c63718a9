# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the playbooks were called."""
from __future__ import annotations

from ansible_collections.gen3.uploads.plugins.plugin_utils.deferred import deferred


class FilterModule:
    """The filters of the playbooks' first tasks."""

    def filters(self):
        """Return name -> function."""
        return {
            "invocation_problems": deferred("_uploads.invocation", "problems"),
            "parts_left_out": deferred("_uploads.invocation", "left_out"),
        }
