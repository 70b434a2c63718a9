"""Whether directories can be the server's."""

from __future__ import annotations

import pytest
from ansible_collections.gen3.uploads.plugins.module_utils._minio import directories

TARGETS = [{"queue_dir": "/var/lib/events", "queue_limit": 1000}, {"queue_dir": "/var/lib/events", "queue_limit": 500},
           {"queue_dir": "", "queue_limit": 0}]
DATA = {"item": "/srv/minio", "stdout_lines": ["minio-user", "", "1000 4096 100 100 xfs"]}


def queue(owner="", events="", system="2000 4096 2000 9000 xfs"):
    return {"item": "/var/lib/events", "stdout_lines": [owner, events, system]}


@pytest.mark.parametrize(("reading", "words"), [
    (queue(), ""),
    (queue("minio-user"), ""),
    (queue("postgres"), "is not empty and belongs to postgres"),
    (queue(system="2000 4096 2000 9000 nfs"), "is on nfs"),
    (queue(system="1500 4096 1500 9000 ext2/ext3"), ""),
    (queue(system="1499 4096 1500 9000 ext2/ext3"), "may grow by 1500 files of 4 KiB, and the file system has 6139904 bytes and 1500 inodes free"),
    (queue(system="1500 4096 1499 9000 ext2/ext3"), "1499 inodes free"),
    (queue(events="x" * 1, system="1499 4096 1499 9000 ext2/ext3"), ""),
    (queue(system="1500 4096 0 0 btrfs"), ""),
    (queue(system="1499 4096 0 0 btrfs"), "6139904 bytes free"),
    (queue(system="6000 1024 2000 9000 ext2/ext3"), ""),
])
def test_a_queue(reading, words):
    found = directories.problems([DATA, reading], "minio-user", TARGETS)
    assert len(found) == bool(words) and all(words in sentence and "/var/lib/events" in sentence for sentence in found), found


def test_the_data_has_no_limit_of_events():
    data = {**DATA, "stdout_lines": ["root", "", "1 4096 1 1 cifs"]}
    found = directories.problems([data], "minio-user", [{"queue_dir": "/srv/minio", "queue_limit": 10**6}])
    assert [sentence.split(" ")[0] for sentence in found] == ["/srv/minio", "/srv/minio"] and "1000000" not in " ".join(found)
