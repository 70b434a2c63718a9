# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How roles judge certificates and keys before a server gets them."""
from __future__ import annotations

from ansible_collections.gen3.uploads.plugins.plugin_utils.deferred import deferred


class FilterModule:
    """The filters for certificates."""

    def filters(self):
        """Return name -> function."""
        return {
            "certificate_problems": deferred("_core.certificates", "pair_problems"),
            "authority_problems": deferred("_core.certificates", "authority_problems"),
        }
