# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Certificates and keys, judged before a server gets them.

A server that runs keeps its old certificate where the new pair is wrong, says nothing, and does not come up at its next start.
No sentence holds a part of a key.

Private to the collection gen3.uploads.
"""
from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime, timezone
from typing import Any

try:
    from cryptography import x509
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key
except ImportError:
    pass  # ansible-core needs the library, so a controller has it.

_BLOCK = re.compile(r"-----BEGIN ([A-Z0-9 ]+)-----[ \t]*\r?\n.*?-----END \1-----[ \t]*(?:\r?\n|\Z)", re.DOTALL)


def pair_problems(certificate: str, key: str, certificate_name: str, key_name: str, of_minio: bool = False, password: str = "",
                  now: datetime | None = None) -> list[str]:
    """Return what is wrong with the certificates and the key of a server, both in PEM, in sentences; empty where nothing is.

    The names are what a sentence calls the two texts, and ``now`` is the present by default. The rules are those of Go's
    ``crypto/tls.X509KeyPair``; ``of_minio`` adds those of minio ``internal/config/certs.go``, which takes no other text in either file
    and can decrypt the older form of key with a ``password``.
    """
    chain, found = _certificates(certificate, certificate_name, strict=of_minio)
    private_key, of_the_key = _private_key(key, key_name, of_minio, password)
    found += of_the_key
    if chain and private_key:
        found += _fit_problems(chain, private_key, certificate_name, key_name)
    if chain:
        found += _chain_problems(chain, certificate_name)
        found += _time_problems(chain, certificate_name, now)
    return found


def authority_problems(certificates: str, name: str, now: datetime | None = None) -> list[str]:
    """Return what is wrong with a file of authorities to trust, which Go leaves out without a word, in sentences."""
    chain, found = _certificates(certificates, name, strict=False)
    return [*found, *_time_problems(chain, name, now)]


def end_of(certificate: bytes) -> datetime:
    """Return when a certificate in DER ends. Raises ValueError where it is none."""
    return _moment(x509.load_der_x509_certificate(certificate), "not_valid_after")


def _certificates(text: str, name: str, strict: bool) -> tuple[list[Any], list[str]]:
    blocks = list(_BLOCK.finditer(text))
    others = sorted({block[1] for block in blocks if block[1] != "CERTIFICATE"})
    if strict and others:
        return [], [f"{name} holds {', '.join(others)} beside the certificates: MinIO takes certificates alone."]
    blocks = [block for block in blocks if block[1] == "CERTIFICATE"]
    if not blocks:
        return [], [f"{name} holds no certificate in PEM."]
    if strict and text[blocks[-1].end():].strip():
        return [], [f"{name} has text behind its last certificate, which MinIO refuses."]
    chain = []
    for position, block in enumerate(blocks, 1):
        try:
            chain.append(x509.load_pem_x509_certificate(block[0].encode()))
        except ValueError:
            return [], [f"The certificate number {position} of {name} cannot be read."]
    return chain, []


def _private_key(text: str, name: str, of_minio: bool, password: str) -> tuple[Any, list[str]]:
    blocks = list(_BLOCK.finditer(text))
    if of_minio and blocks and text[blocks[0].end():]:
        what = f"holds {' and '.join(block[1] for block in blocks)}" if len(blocks) > 1 else "has an empty line or text behind the key"
        return None, [f"{name} {what}, and MinIO takes one private key alone: write it anew with `openssl pkey -in FILE -out FILE.new`."]
    block = next((block for block in blocks if block[1].endswith("PRIVATE KEY")), None)
    if not block:
        return None, [f"{name} holds no private key in PEM."]
    encrypted = block[1] == "ENCRYPTED PRIVATE KEY" or "Proc-Type: 4,ENCRYPTED" in block[0]
    if encrypted and (block[1] == "ENCRYPTED PRIVATE KEY" or not of_minio or not password):
        advice = " or, for a key in the older form, set MINIO_CERT_PASSWD in minio_environment" if of_minio else ""
        return None, [f"{name} is encrypted: decrypt it with `openssl pkey -in FILE -out FILE.new`{advice}."]
    try:
        key = load_pem_private_key(block[0].encode(), password.encode() if encrypted else None)
    except Exception:  # of many kinds, by the version of the library; none may show a part of the key
        return None, [f"{name} cannot be read{' with MINIO_CERT_PASSWD' if encrypted else ''}."]
    if isinstance(key, rsa.RSAPrivateKey):
        problem = "is an RSA key of fewer than 1024 bits" if key.key_size < 1024 else None
    elif isinstance(key, ec.EllipticCurvePrivateKey):
        problem = None if key.curve.name in ("secp224r1", "secp256r1", "secp384r1", "secp521r1") else f"is of the curve {key.curve.name}"
    else:
        problem = None if isinstance(key, ed25519.Ed25519PrivateKey) else "is neither RSA nor ECDSA nor Ed25519"
    return (None, [f"{name} {problem}, which Go's TLS refuses."]) if problem else (key, [])


def _public(key: Any) -> bytes:
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _fit_problems(chain: list[Any], key: Any, certificate_name: str, key_name: str) -> Iterable[str]:
    fitting = [_public(certificate.public_key()) == _public(key.public_key()) for certificate in chain]
    if fitting[0]:
        return
    if any(fitting):
        yield (f"{key_name} fits the certificate number {fitting.index(True) + 1} of {certificate_name} and not the first: put the "
               "server's own certificate first, then each authority's that signed the one before.")
    else:
        yield f"{key_name} does not fit {certificate_name}: they are of different keys."


def _chain_problems(chain: list[Any], name: str) -> Iterable[str]:
    for position, (certificate, issuer) in enumerate(zip(chain, chain[1:]), 1):
        if not _is_signed_by(certificate, issuer):
            yield (f"The certificate number {position + 1} of {name} did not sign number {position}: put the server's own certificate "
                   "first, then each authority's that signed the one before.")
            return


def _is_signed_by(certificate: Any, issuer: Any) -> bool:
    if certificate.issuer != issuer.subject:
        return False
    key, signature, signed = issuer.public_key(), certificate.signature, certificate.tbs_certificate_bytes
    try:
        if isinstance(key, rsa.RSAPublicKey):
            scheme = getattr(certificate, "signature_algorithm_parameters", None) or padding.PKCS1v15()
            key.verify(signature, signed, scheme, certificate.signature_hash_algorithm)
        elif isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(signature, signed, ec.ECDSA(certificate.signature_hash_algorithm))
        elif isinstance(key, ed25519.Ed25519PublicKey):
            key.verify(signature, signed)
    except (InvalidSignature, TypeError, ValueError):  # the latter two where key and signature are of different kinds
        return False
    except UnsupportedAlgorithm:
        pass  # too old for the library; whoever trusts it decides
    return True


def _time_problems(chain: list[Any], name: str, now: datetime | None) -> Iterable[str]:
    now = now or datetime.now(timezone.utc)
    for position, certificate in enumerate(chain, 1):
        begin, end = _moment(certificate, "not_valid_before"), _moment(certificate, "not_valid_after")
        if now > end:
            yield f"The certificate number {position} of {name} has expired on {end:%Y-%m-%d %H:%M} UTC."
        elif now < begin:
            yield f"The certificate number {position} of {name} is not valid before {begin:%Y-%m-%d %H:%M} UTC."


def _moment(certificate: Any, name: str) -> datetime:
    """Return a moment of a certificate; the library has it with its time zone since version 42."""
    moment = getattr(certificate, f"{name}_utc", None)
    return moment or getattr(certificate, name).replace(tzinfo=timezone.utc)
