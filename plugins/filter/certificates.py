# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How roles judge certificates and keys before a server gets them."""
from __future__ import annotations

from datetime import datetime, timezone

from ansible_collections.gen3.uploads.plugins.module_utils._core import certificates


def certificate_problems(certificate: str, key: str, certificate_name: str, key_name: str, of_minio: bool = False, password: str = "") -> list[str]:
    """Return what is wrong with a server's certificate and key; see ``certificates.pair_problems``."""
    return certificates.pair_problems(
        certificate, key, certificates.Names(certificate_name, key_name), datetime.now(timezone.utc), of_minio, password)


def authority_problems(authorities: str, name: str) -> list[str]:
    """Return what is wrong with a file of authorities; see ``certificates.authority_problems``."""
    return certificates.authority_problems(authorities, name, datetime.now(timezone.utc))


class FilterModule:
    """The filters for certificates."""

    def filters(self):
        """Return name -> function."""
        return {"certificate_problems": certificate_problems, "authority_problems": authority_problems}
