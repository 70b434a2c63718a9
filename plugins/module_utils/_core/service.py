# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a program in a version that runs as a systemd service can be given, for the roles minio and event_bridge. Pure.

Private to the collection gen3.uploads.
"""
from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping
from typing import Any

QUOTABLE = re.compile(r'[^"\\`\n\r]*')
"""systemd and the programs read such a value between double quotes as it stands, and no other."""

VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]*")
"""It names a directory and a release."""

SHA256 = re.compile("[0-9a-f]{64}")
ARCHITECTURES = ("x86_64", "aarch64")


def release(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return how a version of a program gets where it belongs.

    ``settings`` has ``program``, ``version_directory``, ``install_method`` (url, file or go), ``url`` and ``file``. ``binary`` is the
    program's path, ``download`` that of what is downloaded or copied, with ``mode``; these are two where ``is_packed``.
    """
    binary = f"{settings['version_directory']}/{settings['program']}"
    source = posixpath.basename(settings["url" if settings["install_method"] == "url" else "file"] or "")
    is_packed = settings["install_method"] != "go" and source.endswith((".tar.gz", ".tgz"))
    return {"binary": binary, "is_packed": is_packed, "download": f"{settings['version_directory']}/{source}" if is_packed else binary,
            "mode": "0644" if is_packed else "0755"}
