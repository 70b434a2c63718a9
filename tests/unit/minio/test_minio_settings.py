"""What the role minio refuses before it touches anything."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar, trust_as_template
from ansible_collections.gen3.uploads.plugins.module_utils._minio import settings

ROLE = Path(__file__).resolve().parents[3] / "roles" / "minio"
SECRET = "a-password-of-the-tests"
GOOD = {"minio_root_user": "operator", "minio_root_password": SECRET}
FACTS = {"architecture": "x86_64", "service_mgr": "systemd"}
HASH = "0" * 64
ROOT = "minio_root_password needs at least 8 characters"
DIRECTORIES = "minio_data_directory, minio_queue_directory and"
CASES = {
    "the defaults": ({}, ""),
    "a target": ({"minio_notification_targets": [{"id": "A", "type": "webhook", "options": {"endpoint": "http://127.0.0.1"}}]}, ""),
    "a target of no kind": ({"minio_notification_targets": [{"id": "A", "type": "webhok"}]}, "needs a type"),
    "a user without a name": ({"minio_users": [{"secret": SECRET}]}, "minio_users[0] needs name"),
    "no password": ({"minio_root_password": None}, "Set minio_root_user and minio_root_password"),
    "no user": ({"minio_root_user": ""}, "Set minio_root_user and minio_root_password"),
    "a password of digits": ({"minio_root_password": 123456789}, "minio_root_password is read by YAML as a number"),
    "a short user": ({"minio_root_user": "ab"}, "minio_root_user needs at least 3"),
    "a short password": ({"minio_root_password": "1234567"}, ROOT),
    "a quote": ({"minio_root_password": f'{SECRET}"'}, ROOT),
    "a backslash": ({"minio_root_password": f"{SECRET}\\n"}, ROOT),
    "an end of line": ({"minio_root_password": f"{SECRET}\n"}, ROOT),
    "silo by go": ({"minio_install_method": "go", "minio_version": "v1"}, "silo cannot be built with `go install`"),
    "MinIO by go": ({"minio_install_method": "go", "minio_distribution": "minio"}, ""),
    "a version that is a path": ({"minio_version": "../x", "minio_download_url": "https://a.example.org", "minio_sha256": HASH}, "minio_version names"),
    "an unknown version": ({"minio_version": "RELEASE.2030", "minio_sha256": HASH}, "knows no address for silo RELEASE.2030"),
    "no file": ({"minio_install_method": "file", "minio_sha256": HASH}, "needs minio_local_file"),
    "a file without a checksum": ({"minio_install_method": "file", "minio_local_file": "minio"}, "needs minio_sha256"),
    "a checksum in capitals": ({"minio_install_method": "file", "minio_local_file": "minio", "minio_sha256": "A" * 64}, "needs minio_sha256"),
    "settings": ({"minio_environment": {"MINIO_API_REQUESTS_MAX": 100, "MINIO_COMPRESSION_ENABLE": "on"}}, ""),
    "a setting with a quote": ({"minio_environment": {"A": 'x"y'}}, "A value of minio_environment has a double quote"),
    "a target as a setting": ({"minio_environment": {"MINIO_NOTIFY_WEBHOOK_ENABLE_X": "x"}}, "minio_environment is not for targets"),
    "the password as a setting": ({"minio_environment": {"MINIO_ROOT_PASSWORD": SECRET}}, "minio_environment is not for targets"),
    "no variable's name": ({"minio_environment": {"a-b": "x"}}, "The names in minio_environment"),
    "on without quotes": ({"minio_environment": {"A": True}}, "The values of minio_environment are"),
    "a region with a space": ({"minio_region": "us east"}, "minio_region takes"),
    "no region": ({"minio_region": ""}, ""),
    "a directory that the unit hides": ({"minio_data_directory": "/home/minio"}, DIRECTORIES),
    "a relative directory": ({"minio_queue_directory": "events"}, DIRECTORIES),
    "two authorities of one name": ({"minio_tls_ca_files": ["/a/ca.crt", "/b/ca.crt"]}, "Two of minio_tls_ca_files"),
    "one port": ({"minio_console_port": "9000"}, "must differ"),
    "an address with a path": ({"minio_server_url": "https://s3.example.org/x"}, "minio_server_url takes"),
    "an address": ({"minio_server_url": "https://s3.example.org:9000"}, ""),
    "half a certificate": ({"minio_tls": "files", "minio_tls_certificate_file": "a.crt"}, "minio_tls files needs"),
    "no place for the authority": ({"minio_tls": "private_ca"}, "minio_tls private_ca needs"),
    "a server of somebody else": ({"minio_manage_server": False, "minio_data_directory": "/", "minio_root_password": "short"}, ""),
}


def found(variables, facts=None):
    """The sentences about the role's defaults with these variables on top."""
    loader = DataLoader()
    values = {}
    for file in ("defaults/main.yml", "vars/main.yml"):
        values |= loader.load_from_file(str(ROLE / file), trusted_as_template=True)
    options = yaml.safe_load((ROLE / "meta" / "argument_specs.yml").read_text())["argument_specs"]["main"]["options"]
    templar = Templar(loader=loader, variables={**values, "inventory_hostname": "node", "ansible_facts": facts or FACTS, **GOOD, **variables})
    return settings.problems({name: templar.template(trust_as_template(f"{{{{ {name} }}}}")) for name in options}, facts or FACTS)


@pytest.mark.parametrize("case", CASES)
def test_refusals(case):
    variables, words = CASES[case]
    sentences = found(variables)
    assert len(sentences) == bool(words) and all(words in sentence for sentence in sentences), sentences
    assert SECRET not in " ".join(sentences)


@pytest.mark.parametrize(("facts", "words"), [({"service_mgr": "openrc"}, "not managed by systemd"), ({"architecture": "s390x"}, "s390x")])
def test_a_node_that_cannot_run_it(facts, words):
    url = {"minio_download_url": "https://a.example.org/minio", "minio_sha256": HASH}
    assert [words in sentence for sentence in found(url, {**FACTS, **facts})] == [True]


def test_all_findings_at_once():
    assert len(found({"minio_root_user": "ab", "minio_region": "us east", "minio_users": [{}]})) == 3
