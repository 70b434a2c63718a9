"""Which release of MinIO a method of installation takes, and what is known of its file."""

from __future__ import annotations

import re

import pytest
from ansible_collections.gen3.uploads.plugins.module_utils._minio.releases import DEFAULTS, FILES, release


@pytest.mark.parametrize(("distribution", "architecture", "file"), [
    ("silo", "x86_64", "silo_20260916000000.0.0_linux_amd64.tar.gz"),
    ("silo", "aarch64", "silo_20260916000000.0.0_linux_arm64.tar.gz"),
    ("minio", "x86_64", "minio.linux-amd64.RELEASE.2025-09-07T16-13-09Z"),
    ("minio", "aarch64", "minio.linux-arm64.RELEASE.2025-09-07T16-13-09Z")])
def test_the_default_of_a_download_is_known(distribution, architecture, file):
    found = release(distribution, "url", architecture=architecture)
    assert found["url"].endswith("/" + file) and found["version"] in found["url"] and re.fullmatch("[0-9a-f]{64}", found["sha256"])
    assert found == release(distribution, "url", found["version"], architecture)


@pytest.mark.parametrize(("arguments", "version"), [
    (("minio", "go", "", "x86_64"), DEFAULTS["minio"]["go"]),
    (("silo", "go", "", "x86_64"), ""),
    (("silo", "file", "", "x86_64"), DEFAULTS["silo"]["file"]),
    (("silo", "url", "RELEASE.2030-01-01T00-00-00Z", "x86_64"), "RELEASE.2030-01-01T00-00-00Z"),
    (("silo", "url", "", "riscv64"), DEFAULTS["silo"]["url"]),
    (("silo", "url", "", ""), DEFAULTS["silo"]["url"]),
    (("another", "url", "", "x86_64"), "")])
def test_of_the_rest_only_the_version_is_told(arguments, version):
    assert release(*arguments) == {"version": version, "url": "", "sha256": ""}


def test_no_two_files_have_one_checksum():
    assert len({sha256 for dummy, sha256 in FILES.values()}) == len(FILES)
