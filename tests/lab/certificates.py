# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's own certificate authority, and the server certificates it signs."""
from __future__ import annotations

import datetime
import ipaddress
import ssl
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

VALIDITY = datetime.timedelta(days=30)


class Authority:
    """A certificate authority in a directory: ``ca.crt`` (world-readable) and ``ca.key``; made when absent."""

    def __init__(self, directory: Path):
        self.directory = directory
        self.certificate_file = directory / "ca.crt"
        key_file = directory / "ca.key"
        if self.certificate_file.exists():
            self._key = serialization.load_pem_private_key(key_file.read_bytes(), None)
            self._certificate = x509.load_pem_x509_certificate(self.certificate_file.read_bytes())
            return
        directory.mkdir(parents=True, exist_ok=True)
        self._key = new_key(key_file)
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "gen3.uploads lab")])
        usage = x509.KeyUsage(
            digital_signature=True, key_cert_sign=True, crl_sign=True, content_commitment=False, key_encipherment=False,
            data_encipherment=False, key_agreement=False, encipher_only=False, decipher_only=False)
        self._certificate = (
            _builder(name, name, self._key)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .add_extension(usage, critical=True)
            .sign(self._key, hashes.SHA256()))
        self.certificate_file.write_bytes(self._certificate.public_bytes(serialization.Encoding.PEM))

    def server_certificate(self, *hosts: str) -> tuple[Path, Path]:
        """Return the files (certificate, key) of a server with these names or addresses; made when absent."""
        certificate_file, key_file = (self.directory / f"{hosts[0]}.{kind}" for kind in ("crt", "key"))
        if not certificate_file.exists():
            key = new_key(key_file)
            names = x509.SubjectAlternativeName([_general_name(host) for host in hosts])
            subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, hosts[0][:64])])
            certificate = (
                _builder(subject, self._certificate.subject, key)
                .add_extension(names, critical=False)
                .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), False)
                .add_extension(x509.ExtendedKeyUsage([x509.ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
                .sign(self._key, hashes.SHA256()))
            certificate_file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        return certificate_file, key_file

    def server_context(self, *hosts: str) -> ssl.SSLContext:
        """Return the TLS settings of a server with these names or addresses."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*self.server_certificate(*hosts))
        return context


def new_key(file: Path) -> ec.EllipticCurvePrivateKey:
    """Make a private key, readable by its owner alone."""
    key = ec.generate_private_key(ec.SECP256R1())
    file.touch(mode=0o600)
    file.write_bytes(key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()))
    return key


def _builder(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.timezone.utc)
    return (
        x509.CertificateBuilder()
        .subject_name(subject).issuer_name(issuer).public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1)).not_valid_after(now + VALIDITY)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False))


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)
