"""No password and no AWS key shows anywhere, in any encoding."""

from __future__ import annotations

import base64
import json
import tempfile
import threading
import uuid
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest
from lab.aws import OPERATOR_KEY
from plays import CONFIRM, REINDEX, RUN_ID, SITE, TEARDOWN, VERIFY, environ, start

DISPATCHER_KEY = "AKIALABDISPATCHER001"


def encodings(secret: str) -> set[str]:
    """Every form in which a secret could show; base64 at each of its three alignments inside a longer text."""
    raw = secret.encode()
    forms = {secret, quote(secret, safe=""), quote_plus(secret), json.dumps(secret)[1:-1], json.dumps(json.dumps(secret))[3:-3],
             json.dumps(secret, ensure_ascii=False)[1:-1], raw.hex()}
    for before in range(3):
        after = -(before + len(raw)) % 3
        encoded = base64.b64encode(b"\0" * before + raw + b"\0" * after).decode()
        # Only the characters that the secret alone determines, not its neighbours.
        encoded = encoded[(0, 2, 3)[before]:len(encoded) - (0, 2, 3)[after]]
        forms |= {encoded, encoded.replace("+", "-").replace("/", "_")}
    return forms


def found(secrets: dict[str, str], text: str) -> list[str]:
    """Names of the secrets that a text shows."""
    return [name for name, secret in secrets.items() if any(form in text for form in encodings(secret))]


def command_lines(run_id: str, stop: threading.Event, seen: set[str]) -> None:
    """Collect the arguments of all processes of a run until told to stop; other processes may belong to other tests."""
    mark = f"{RUN_ID}={run_id}".encode()
    while not stop.is_set():
        for file in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                if mark in environ(int(file.parent.name)):
                    seen.add(file.read_bytes().replace(b"\0", b" ").decode(errors="replace"))
            except OSError:  # it has ended meanwhile
                pass
        stop.wait(0.02)


def test_the_search_finds_every_form():
    secret = 'a"b\\c/d+e%fé-0123456789'
    for shift in range(3):
        text = base64.b64encode(b"x" * shift + secret.encode() + b"yz").decode()
        assert found({"it": secret}, f"before {text} after") == ["it"]
    for text in (secret, quote(secret, safe=""), json.dumps({"key": secret}), json.dumps(json.dumps({"key": secret}))):
        assert found({"it": secret}, text) == ["it"]
    assert found({"it": secret}, "nothing of the kind") == []


def with_characters_that_are_escaped(lab) -> dict[str, dict[str, str]]:
    """Give indexd and the metadata service passwords that look different in every encoding; returns all passwords."""
    passwords = lab.state.passwords()
    # What starlette leaves alone in a line of metadata.env: no quote, no comma, no backslash; and fastapi reads logins as ASCII.
    passwords["indexd"]["fence"], passwords["metadata"]["gateway"] = 'a"b\\c/d+e%f&é=0123456789', "p/q+r%s&t=0123456789~"
    line = f"ADMIN_LOGINS=gateway:{passwords['metadata']['gateway']}\n"
    for name, key, text in (("indexd-service-creds", "fence", passwords["indexd"]["fence"]), ("metadata-g3auto", "metadata.env", line)):
        lab.kube.patch("Secret", name, {"data": {key: base64.b64encode(text.encode()).decode()}})
    lab.state.passwords_file.write_text(json.dumps(passwords))
    return passwords


@pytest.fixture
def home():
    """A folder with a short path: Ansible puts a socket there, whose path may have 107 characters."""
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


def test_no_secret_in_output_files_or_arguments(clean_lab, home):
    lab = clean_lab
    passwords = with_characters_that_are_escaped(lab)
    secrets = {
        "indexd's password": passwords["indexd"]["fence"],
        "metadata service's password": passwords["metadata"]["gateway"],
        "secret access key": lab.environment()["AWS_SECRET_ACCESS_KEY"],
        "access key id": OPERATOR_KEY,
        "ssjdispatcher's access key id": DISPATCHER_KEY,
    }
    environment = {"HOME": str(home), "ANSIBLE_HOME": str(home / "ansible"), "ANSIBLE_LOG_PATH": str(home / "ansible.log"),
                   "ANSIBLE_LOCAL_TEMP": str(home / "local"), "ANSIBLE_REMOTE_TEMP": str(home / "remote"), "TMPDIR": str(home)}
    seen: set[str] = set()
    stop = threading.Event()
    run_id = environment[RUN_ID] = uuid.uuid4().hex
    watcher = threading.Thread(target=command_lines, args=(run_id, stop, seen))
    watcher.start()
    try:
        for playbook, *arguments in ((SITE, "--check"), (SITE,), (SITE,), (VERIFY,), (REINDEX,), (TEARDOWN,)):
            process = start(lab, playbook, "-vvvv", "--diff", *arguments, environment=environment,
                            variables={**CONFIRM, "uploads_verify_report": str(home / "pipeline.html")})
            output, _ = process.communicate(timeout=300)
            assert process.returncode == 0, output
            assert found(secrets, output) == [], playbook
    finally:
        stop.set()
        watcher.join()
    assert any("ansible-playbook" in line for line in seen)
    assert found(secrets, "\n".join(seen)) == []
    files = [file for file in home.rglob("*") if file.is_file()]
    assert home / "pipeline.html" in files and home / "ansible.log" in files
    for file in files:
        assert found(secrets, file.read_text(errors="replace")) == [], file
