# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why a module gives up. Whatever else is raised is a fault of this collection, and shows as one.

Private to the collection gen3.uploads.
"""
from __future__ import annotations

from typing import Any


class UploadsError(Exception):
    """One sentence for the operator; ``details`` go into the module's result."""

    def __init__(self, message: str, **details: Any) -> None:
        super().__init__(message)
        self.details = details


class PlanError(UploadsError):
    """What is desired cannot be, or not without a loss: raised by plans and by what reads the options."""
