# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a program in a version that runs as a systemd service can be given, for the roles minio and event_bridge. Pure.

Private to the collection gen3.uploads.
"""
from __future__ import annotations

import re

QUOTABLE = re.compile(r'[^"\\`\n\r]*')
"""systemd and the programs read such a value between double quotes as it stands, and no other."""

VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]*")
"""It names a directory and a release."""

SHA256 = re.compile("[0-9a-f]{64}")
ARCHITECTURES = ("x86_64", "aarch64")
