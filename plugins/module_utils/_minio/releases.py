# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The releases of MinIO that are known to exist, and which one each method of installation takes. Pure.

Private to the collection gen3.uploads.
"""
from __future__ import annotations

_SILO = "RELEASE.2026-09-16T00-00-00Z"
_MINIO = "RELEASE.2025-09-07T16-13-09Z"

DEFAULTS = {
    "silo": {"url": _SILO, "file": _SILO},
    "minio": {"url": _MINIO, "file": _MINIO, "go": "v0.0.0-20260212201848-7aac2a2c5b7c"},
}
"""Distribution -> method of installation -> version. Silo cannot be installed with Go."""

FILES = {
    ("silo", _SILO, "x86_64"): (
        f"https://github.com/pgsty/silo/releases/download/{_SILO}/silo_20260916000000.0.0_linux_amd64.tar.gz",
        "381e745510a8fb64323d7bb3207f95984b7f4ed826f4fcad318f97683c420c73"),
    ("silo", _SILO, "aarch64"): (
        f"https://github.com/pgsty/silo/releases/download/{_SILO}/silo_20260916000000.0.0_linux_arm64.tar.gz",
        "6e697d3e1d70f2343fe829cd6820a0b840d4619f1dde546424de80e529636ed2"),
    ("minio", _MINIO, "x86_64"): (
        f"https://github.com/minio/minio/releases/download/{_MINIO}/minio.linux-amd64.{_MINIO}",
        "7c5bd8512c6e966455b1d198209358b2d191c77a83ab377c4073281065fb855f"),
    ("minio", _MINIO, "aarch64"): (
        f"https://github.com/minio/minio/releases/download/{_MINIO}/minio.linux-arm64.{_MINIO}",
        "5c83cd2cf151717ba0243f73e1c7802ff36e272b67144bdd7f1f7d684fd6f03d"),
}
"""(distribution, version, architecture as Ansible names it) -> address and SHA-256, on which several independent sources agree."""


def release(distribution: str, install_method: str, version: str = "", architecture: str = "") -> dict[str, str]:
    """Return ``version``, the one given or else the method's, and ``url`` and ``sha256`` of its file; what is not known is empty.

    Only what is downloaded has an address and a checksum: of a file of the operator's own nobody else knows them.
    """
    version = version or DEFAULTS.get(distribution, {}).get(install_method, "")
    known = FILES.get((distribution, version, architecture)) if install_method == "url" else None
    url, sha256 = known or ("", "")
    return {"version": version, "url": url, "sha256": sha256}
