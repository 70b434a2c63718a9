"""Where a version of a program is installed, and how its file gets there."""

import pytest
from ansible_collections.gen3.uploads.plugins.module_utils._core.service import release


@pytest.mark.parametrize(("method", "url", "file", "download", "mode"), [
    ("url", "https://example.org/a/bento_1.tar.gz", None, "bento_1.tar.gz", "0644"),
    ("file", "https://example.org/a/bento_1.tar.gz", "/home/me/bento.tgz", "bento.tgz", "0644"),
    ("file", None, "/home/me/bento-1.20", None, "0755"),
    ("url", "https://example.org/a/minio.RELEASE.2025", None, None, "0755"),
    ("go", "https://example.org/a/bento_1.tar.gz", "", None, "0755"),
    ("go", None, "bento.tar.gz", None, "0755"),
])
def test_what_is_packed_is_downloaded_beside_the_program(method, url, file, download, mode):
    found = release({"program": "bento", "version_directory": "/opt/b/1", "install_method": method, "url": url, "file": file})
    assert found == {"binary": "/opt/b/1/bento", "is_packed": download is not None, "download": f"/opt/b/1/{download or 'bento'}", "mode": mode}
