"""The wrapper that runs the real Bento as a pod."""

from __future__ import annotations

from pathlib import Path

import pytest
from lab.bridge import localize

PORTS = {"events": 15001, "4199": 15001, "status": 15002, "4195": 15002}


@pytest.mark.parametrize(("container", "local"), [
    ({"http": {"address": "0.0.0.0:4195"}}, {"http": {"address": "127.0.0.1:15002"}}),
    ({"http": {"address": ":4300"}}, {"http": {"address": "127.0.0.1:4300"}}),
    ({"http_server": {"address": "[::]:4199", "path": "/events", "cert_file": "/tls/tls.crt", "key_file": ""}},
     {"http_server": {"address": "127.0.0.1:15001", "path": "/events", "cert_file": "/root/tls/tls.crt", "key_file": ""}}),
    ({"cases": [{"output": {"file": {"path": '/letters/${! now() }.jsonl', "codec": "lines"}}}]},
     {"cases": [{"output": {"file": {"path": '/root/letters/${! now() }.jsonl', "codec": "lines"}}}]}),
    ({"aws_sqs": {"url": "https://sqs", "max_retries": 1}}, {"aws_sqs": {"url": "https://sqs", "max_retries": 1}})])
def test_addresses_and_files_are_those_of_the_pod(container, local):
    assert localize(container, Path("/root"), PORTS) == local
