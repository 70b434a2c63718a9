# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's own certificate authority, and the server certificates it signs."""
from __future__ import annotations

import datetime
import ssl
from pathlib import Path

import trustme

VALIDITY = datetime.timedelta(days=90)


class Authority:
    """A certificate authority in a directory: ``ca.crt`` (world-readable) and ``ca.key``; made when absent."""

    def __init__(self, directory: Path):
        self.directory = directory
        self.certificate_file, key_file = directory / "ca.crt", directory / "ca.key"
        if self.certificate_file.exists():
            self._authority = trustme.CA.from_pem(self.certificate_file.read_bytes(), key_file.read_bytes())
            return
        directory.mkdir(parents=True, exist_ok=True)
        self._authority = trustme.CA(organization_name="gen3.uploads lab")
        _write_private(key_file, self._authority.private_key_pem)
        self._authority.cert_pem.write_to_path(str(self.certificate_file))

    def server_certificate(self, *hosts: str) -> tuple[Path, Path]:
        """Return the files (certificate, key) of a server with these names or addresses; made when absent."""
        certificate_file, key_file = (self.directory / f"{hosts[0]}.{kind}" for kind in ("crt", "key"))
        if not certificate_file.exists():
            expiry = datetime.datetime.now(datetime.timezone.utc) + VALIDITY
            certificate = self._authority.issue_cert(*hosts, common_name=hosts[0][:64], not_after=expiry)
            _write_private(key_file, certificate.private_key_pem)
            certificate.cert_chain_pems[0].write_to_path(str(certificate_file))
        return certificate_file, key_file

    def server_context(self, *hosts: str) -> ssl.SSLContext:
        """Return the TLS settings of a server with these names or addresses."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*self.server_certificate(*hosts))
        return context


def _write_private(file: Path, content: trustme.Blob) -> None:
    """Write a private key, readable by its owner alone."""
    file.touch(mode=0o600)
    content.write_to_path(str(file))
