"""Certificates and keys are judged before a server gets them, and the served one is compared afterwards."""

from __future__ import annotations

import datetime
import json
import os
import socket
import ssl
import subprocess
import threading
from pathlib import Path

import pytest
from ansible_collections.gen3.uploads.plugins.module_utils._core.certificates import authority_problems, pair_problems
from ansible_collections.gen3.uploads.plugins.modules import served_certificate_info
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

REPOSITORY = Path(__file__).resolve().parents[3]
NOW = datetime.datetime(2026, 6, 1, tzinfo=datetime.timezone.utc)
NAMES = ("the_certificate", "the_key")
# What `openssl ecparam -name prime256v1 -genkey` writes first.
EC_PARAMETERS = "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n"


def certificate(subject, key, issuer, issuer_key, days=(-10, 10)):
    """A certificate in PEM; days count from NOW."""
    names = [x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]) for name in (subject, issuer)]
    begin, end = (NOW + datetime.timedelta(days=number) for number in days)
    algorithm = None if isinstance(issuer_key, ed25519.Ed25519PrivateKey) else hashes.SHA256()
    return (x509.CertificateBuilder().subject_name(names[0]).issuer_name(names[1]).public_key(key.public_key()).serial_number(1)
            .not_valid_before(begin).not_valid_after(end).sign(issuer_key, algorithm).public_bytes(Encoding.PEM).decode())


def text(key, form=PrivateFormat.PKCS8, password=None):
    return key.private_bytes(Encoding.PEM, form, BestAvailableEncryption(password) if password else NoEncryption()).decode()


ROOT, MIDDLE, SERVER, OTHER = (ec.generate_private_key(ec.SECP256R1()) for dummy in range(4))
OWN = certificate("server", SERVER, "middle", MIDDLE)
OF_MIDDLE = certificate("middle", MIDDLE, "root", ROOT)
KEY = text(SERVER)


def problems(given=OWN + OF_MIDDLE, key=KEY, **more):
    return pair_problems(given, key, *NAMES, now=NOW, **{"of_minio": True, **more})


@pytest.mark.parametrize("key", [
    SERVER, rsa.generate_private_key(65537, 2048), ed25519.Ed25519PrivateKey.generate(), ec.generate_private_key(ec.SECP521R1())])
def test_a_pair_that_fits(key):
    pair = certificate("server", key, "middle", MIDDLE) + OF_MIDDLE
    assert problems(pair, text(key)) == []
    assert problems("Bag Attributes\n    friendlyName: server\n" + pair, text(key)) == []
    assert problems(pair.replace("\n", "\r\n"), text(key).rstrip("\n")) == []


@pytest.mark.parametrize("issuer", [
    rsa.generate_private_key(65537, 2048), ed25519.Ed25519PrivateKey.generate(), ec.generate_private_key(ec.SECP384R1())])
def test_a_chain_of_any_kind_of_authority(issuer):
    assert problems(certificate("server", SERVER, "ca", issuer) + certificate("ca", issuer, "ca", issuer)) == []
    assert "did not sign" in problems(certificate("server", SERVER, "ca", issuer) + certificate("ca", OTHER, "ca", OTHER))[0]


@pytest.mark.parametrize(("given", "words"), [
    ({"key": text(OTHER)}, "the_key does not fit the_certificate"),
    ({"key": EC_PARAMETERS + text(SERVER, PrivateFormat.TraditionalOpenSSL)}, "EC PARAMETERS and EC PRIVATE KEY"),
    ({"key": KEY + "\n"}, "empty line"),
    ({"key": OWN + KEY}, "CERTIFICATE and PRIVATE KEY"),
    ({"key": ""}, "no private key"),
    ({"key": OWN}, "no private key"),
    ({"key": KEY.replace("M", "?", 1)}, "the_key cannot be read"),
    ({"key": text(SERVER, password=b"secret")}, "encrypted"),
    ({"key": text(SERVER, PrivateFormat.TraditionalOpenSSL, b"secret")}, "MINIO_CERT_PASSWD"),
    ({"key": text(SERVER, PrivateFormat.TraditionalOpenSSL, b"secret"), "password": "another"}, "with MINIO_CERT_PASSWD"),
    ({"key": text(ec.generate_private_key(ec.SECP256K1()))}, "curve secp256k1"),
    ({"key": text(ed448.Ed448PrivateKey.generate())}, "neither RSA"),
    ({"given": ""}, "no certificate"),
    ({"given": KEY + OWN}, "beside the certificates"),
    ({"given": OWN + "the end\n"}, "text behind"),
    ({"given": OWN.replace("M", "Q", 1)}, "number 1 of the_certificate cannot be read"),
    ({"given": OF_MIDDLE + OWN}, "the_key fits the certificate number 2"),
    ({"given": OWN + certificate("root", ROOT, "root", ROOT) + OF_MIDDLE}, "number 2 of the_certificate did not sign number 1"),
    ({"given": OWN + certificate("middle", OTHER, "root", ROOT)}, "number 2 of the_certificate did not sign number 1"),
    ({"given": certificate("server", SERVER, "middle", MIDDLE, (-10, -1))}, "expired on 2026-05-31"),
    ({"given": certificate("server", SERVER, "middle", MIDDLE, (1, 10))}, "not valid before 2026-06-02"),
    ({"given": OWN + certificate("middle", MIDDLE, "root", ROOT, (-10, -1))}, "number 2 of the_certificate has expired"),
], ids=lambda value: value if isinstance(value, str) else "")
def test_a_pair_that_would_be_refused(given, words):
    found = problems(**given)
    assert any(words in sentence for sentence in found), found
    assert not any(line in " ".join(found) for line in KEY.splitlines()[1:-1])


def test_all_problems_are_told_at_once():
    assert len(problems(certificate("server", SERVER, "middle", MIDDLE, (-10, -1)), text(OTHER))) == 2


def test_minio_decrypts_the_older_form_of_key():
    assert problems(key=text(SERVER, PrivateFormat.TraditionalOpenSSL, b"secret"), password="secret") == []


def test_other_servers_in_go_look_for_the_key_among_other_blocks():
    assert problems(key=EC_PARAMETERS + text(SERVER, PrivateFormat.TraditionalOpenSSL) + "\n", of_minio=False) == []
    assert problems(given=EC_PARAMETERS + OWN + OF_MIDDLE + "the end\n", of_minio=False) == []


@pytest.mark.parametrize(("given", "words"), [
    ("", "no certificate"), (KEY, "no certificate"), (certificate("root", ROOT, "root", ROOT, (-10, -1)), "expired"),
    (OF_MIDDLE + OWN, None)], ids=["empty", "a key", "expired", "right"])
def test_authorities(given, words):
    found = authority_problems(given, "ca.crt", NOW)
    assert [words in sentence for sentence in found] == ([True] if words else [])


@pytest.fixture
def server(tmp_path):
    """A TLS server with the certificate of a file: its port, and the file."""
    file = tmp_path / "server.pem"
    file.write_text(OWN + KEY)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        def serve():
            while True:
                try:
                    context.wrap_socket(listener.accept()[0], server_side=True).close()
                except ssl.SSLError:
                    continue
                except OSError:
                    return
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listener.getsockname()[1], file
        listener.shutdown(socket.SHUT_RDWR)
    thread.join()


def test_the_served_certificate_is_compared_with_a_file(server, run_module, tmp_path):
    port, file = server
    same = run_module(served_certificate_info, port=port, path=str(file))
    assert same["served"] and same["served_sha256"] == same["file_sha256"] and not same["changed"]
    (tmp_path / "other.crt").write_text(OF_MIDDLE + OWN)
    other = run_module(served_certificate_info, port=port, path=str(tmp_path / "other.crt"), timeout=0)
    assert not other["served"] and not other["failed"]


@pytest.mark.parametrize("content", [None, "no certificate"])
def test_what_cannot_be_compared_is_told(server, run_module, tmp_path, content):
    path = tmp_path / "wanted.crt"
    if content:
        path.write_text(content)
    result = run_module(served_certificate_info, port=server[0], path=str(path))
    assert result["failed"] and str(path) in result["msg"]
    assert "127.0.0.1:1 " in run_module(served_certificate_info, port=1, path=str(server[1]))["msg"]


@pytest.fixture
def play(tmp_path):
    """Runs task files of the role on this machine, with all that Ansible can print; returns its code and what it said."""
    def run(variables, *entries):
        file = tmp_path / "play.json"
        file.write_text(json.dumps([{"hosts": "localhost", "gather_facts": False, "vars": variables, "tasks": [
            {"ansible.builtin.include_role": {"name": "gen3.uploads.minio", "tasks_from": entry}} for entry in entries]}]))
        done = subprocess.run(
            ["ansible-playbook", "-i", "localhost,", "-c", "local", "-vvv", str(file)], capture_output=True, text=True, check=False,
            env={**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(REPOSITORY / ".collections")})
        return done.returncode, done.stdout + done.stderr
    return run


def test_the_role_refuses_what_does_not_fit_and_prints_no_key(play, tmp_path):
    for name, content in {"own.crt": OWN + OF_MIDDLE, "other.key": text(OTHER), "empty.crt": ""}.items():
        (tmp_path / name).write_text(content)
    code, said = play({"minio_tls": "files", "minio_tls_certificate_file": str(tmp_path / "own.crt"),
                       "minio_tls_private_key_file": str(tmp_path / "other.key")}, "preflight_tls")
    assert code == 2 and "minio_tls_private_key_file does not fit minio_tls_certificate_file" in said, said[-3000:]
    assert text(OTHER).splitlines()[1] not in said
    code, said = play({"minio_tls_ca_files": [str(tmp_path / "empty.crt")]}, "preflight_tls")
    assert code == 2 and f"The file {tmp_path}/empty.crt of minio_tls_ca_files holds no certificate in PEM." in said, said[-3000:]


def test_the_role_tells_when_the_server_keeps_its_former_certificate(play, server, tmp_path):
    certificates = tmp_path / "certs"
    certificates.mkdir()
    (certificates / "public.crt").write_text(OWN)
    variables = {"minio_api_port": server[0], "minio_configuration_directory": str(tmp_path)}
    code, said = play(variables, "check_certificate")
    assert code == 0, said[-3000:]
    (certificates / "public.crt").write_text(OF_MIDDLE)
    code, said = play(variables, "check_certificate")
    assert code == 2 and f"another certificate than {certificates}/public.crt" in said, said[-3000:]
