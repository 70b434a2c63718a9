# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the settings of the role event_bridge lack, and how the token is shown and known."""
from __future__ import annotations

from ansible_collections.gen3.uploads.plugins.plugin_utils.deferred import deferred


class FilterModule:
    """The filters of the role event_bridge."""

    def filters(self):
        """Return name -> function."""
        return {
            "event_bridge_problems": deferred("_event_bridge.settings", "problems"),
            "event_bridge_token_hash": deferred("_event_bridge.settings", "token_hash"),
            "event_bridge_authorization": deferred("_event_bridge.settings", "authorization"),
        }
