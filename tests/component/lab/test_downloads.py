"""Downloads of released programs, from a mirror on this machine that behaves and misbehaves over real TLS."""

from __future__ import annotations

import contextlib
import hashlib
import http.server
import io
import os
import signal
import socket
import subprocess
import sys
import tarfile
import threading
import time
from pathlib import Path

import pytest
from lab import downloads, programs
from lab.certificates import Authority

PINS = programs.SOURCES / "go" / "go.mod"
LIMITS = downloads.Limits(patience=0.4, slowest=500_000, silence=0.1)
PROGRAM = b"#!/bin/sh\necho program\n" * 20_000
K8S, ETCD = "/dl.k8s.io/release/v1.37.2/bin/linux/amd64", "/github.com/etcd-io/etcd/releases/download/v3.7.0"


class Mirror:
    """An HTTPS server; ``answers`` is path -> bytes, or what is called with the handler to answer in some other way."""

    def __init__(self, directory: Path):
        self.authority, self.answers, self.asked = Authority(directory), {}, []
        mirror = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                mirror.asked.append(self.path)
                answer = mirror.answers.get(self.path)
                if callable(answer):
                    answer(self)
                elif answer is None:
                    self.send_error(404)
                else:
                    head(self, len(answer))
                    self.wfile.write(answer)

            def log_message(self, *args):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.handle_error = lambda *args: None
        self.server.socket = self.authority.server_context("127.0.0.1").wrap_socket(
            self.server.socket, server_side=True, do_handshake_on_connect=False)
        self.address = f"https://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, args=[0.05], daemon=True).start()

    def publish(self):
        """Have the releases of the Kubernetes programs and of etcd."""
        for name in ("kube-apiserver", "kube-controller-manager"):
            self.answers[f"{K8S}/{name}"] = PROGRAM
            self.answers[f"{K8S}/{name}.sha256"] = hashlib.sha256(PROGRAM).hexdigest().encode()
        archive = io.BytesIO()
        with tarfile.open(fileobj=archive, mode="w:gz") as tar:
            member = tarfile.TarInfo("etcd-v3.7.0-linux-amd64/etcd")
            member.size = len(PROGRAM)
            tar.addfile(member, io.BytesIO(PROGRAM))
        digest = hashlib.sha256(archive.getvalue()).hexdigest()
        self.answers[f"{ETCD}/etcd-v3.7.0-linux-amd64.tar.gz"] = archive.getvalue()
        self.answers[f"{ETCD}/SHA256SUMS"] = f"{'0' * 64}  etcd-v3.7.0-linux-arm64.tar.gz\n{digest}  etcd-v3.7.0-linux-amd64.tar.gz\n".encode()


def head(handler, length, code=200, **headers):
    """Send the beginning of an answer."""
    handler.send_response(code)
    for name, value in {"Content-Length": length, **headers}.items():
        handler.send_header(name, value)
    handler.end_headers()


def status(code):
    return lambda handler: handler.send_error(code)


def redirect(address):
    return lambda handler: head(handler, 0, 302, Location=address)


def slowly(handler):
    """Send 1 kB/s, as long as anyone listens."""
    head(handler, len(PROGRAM))
    with contextlib.suppress(OSError):
        for at in range(0, len(PROGRAM), 100):
            handler.wfile.write(PROGRAM[at:at + 100])
            time.sleep(0.1)


def cut(handler):
    head(handler, len(PROGRAM))
    handler.wfile.write(PROGRAM[:len(PROGRAM) // 2])


def stopping(handler):
    cut(handler)
    handler.wfile.flush()
    time.sleep(3)


@pytest.fixture
def mirror(tmp_path, monkeypatch):
    """A mirror that has everything, and is the one that is asked, by a machine with an empty cache."""
    mirror = Mirror(tmp_path / "authority")
    mirror.publish()
    monkeypatch.setenv("LAB_DOWNLOADS", mirror.address)
    monkeypatch.setenv("SSL_CERT_FILE", str(mirror.authority.certificate_file))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(downloads.platform, "machine", lambda: "x86_64")
    yield mirror
    mirror.server.shutdown()
    mirror.server.server_close()


def fetch(limits=LIMITS):
    """Try to download the Kubernetes programs and etcd; returns the lines."""
    lines = []
    downloads.fetch(programs.paths("go"), PINS, programs.cache_directory(), lines.append, limits=limits)
    return lines


def whole():
    """Return the names of the programs that are there; each of them is whole and runs, and nothing else is left."""
    files = list(programs.cache_directory().glob("lab-*/*"))
    assert all(file.read_bytes() == PROGRAM and os.access(file, os.X_OK) for file in files)
    return sorted(file.name for file in files)


def test_everything_comes_from_the_projects_addresses(mirror):
    lines = fetch()
    assert whole() == ["etcd", "kube-apiserver", "kube-controller-manager"] and lines[-1].startswith("downloaded etcd, kube-apiserver")
    assert sorted(mirror.asked) == sorted(mirror.answers)


def test_without_a_mirror_the_projects_themselves_are_asked(monkeypatch, tmp_path):
    asked = []
    monkeypatch.delenv("LAB_DOWNLOADS", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(downloads.platform, "machine", lambda: "aarch64")
    monkeypatch.setattr(downloads, "_run", lambda attempts, *rest: asked.extend(each._address for each in attempts))
    fetch()
    downloads.fetch(programs.paths("go-buildx"), programs.SOURCES / "go-buildx" / "go.mod", tmp_path, print)
    kubernetes = "https://dl.k8s.io/release/v1.37.2/bin/linux/arm64"
    assert asked == [
        "https://github.com/etcd-io/etcd/releases/download/v3.7.0/etcd-v3.7.0-linux-arm64.tar.gz", f"{kubernetes}/kube-apiserver",
        f"{kubernetes}/kube-controller-manager", "https://github.com/docker/buildx/releases/download/v0.23.0/buildx-v0.23.0.linux-arm64"]


def test_a_pinned_digest_is_that_of_the_pinned_version_and_the_release_is_not_asked_for_it(mirror):
    """Who raises the version in go.mod is told here that the digest goes with it."""
    pins = programs.SOURCES / "go-buildx" / "go.mod"
    version = downloads._version("github.com/docker/buildx", pins.read_text())
    digests = downloads.RELEASES["docker-buildx"].sha256
    assert set(digests) == {(version, arch) for arch in downloads.ARCHITECTURES.values()}
    path = f"/github.com/docker/buildx/releases/download/{version}/buildx-{version}.linux-amd64"
    mirror.answers[path] = PROGRAM
    lines = []
    downloads.fetch(programs.paths("go-buildx"), pins, programs.cache_directory(), lines.append, limits=LIMITS)
    assert mirror.asked == [path] and whole() == [] and f"has not the digest {digests[version, 'amd64']}" in lines[-1]


def test_each_program_is_one_that_is_built_otherwise():
    assert set(downloads.RELEASES) <= {name for packages in programs.PACKAGES.values() for name in packages}


@pytest.mark.parametrize(("answer", "sentence"), [
    (status(404), "kube-apiserver answers 404 Not Found;"),
    (status(503), "kube-apiserver answers 503 Service Unavailable;"),
    (redirect(f"{K8S}/kube-apiserver"), "kube-apiserver leads through redirects to no file;"),
    (redirect("http://127.0.0.1/kube-apiserver"), "leads to http://127.0.0.1/kube-apiserver, which is not https;"),
    (slowly, "kB/s arrive;"),
    (cut, f"kube-apiserver ended after {len(PROGRAM) // 2} of {len(PROGRAM)} bytes;"),
    (stopping, "kube-apiserver: nothing arrives any more;"),
    (b"#!/bin/sh\necho somebody else's\n", f"kube-apiserver has not the digest {hashlib.sha256(PROGRAM).hexdigest()};"),
    (lambda handler: time.sleep(2), "gives no answer within 0.4 s;"),
    (lambda handler: handler.wfile.write(b"SSH-2.0\r\n\r\n"), "kube-apiserver: SSH-2.0"),
], ids=["404", "503", "loop", "plain", "slow", "cut", "stops", "digest", "silent", "noise"])
def test_a_failure_is_one_sentence_and_ends_all_attempts(mirror, answer, sentence):
    mirror.answers[f"{K8S}/kube-apiserver"] = answer
    started, lines = time.monotonic(), fetch()
    assert sentence in lines[-1] and lines[-1].startswith("no downloads, because ") and "\n" not in lines[-1]
    assert lines[-1].endswith("; the programs are built (LAB_DOWNLOADS names a mirror, or off)")
    assert "kube-apiserver" not in whole() and time.monotonic() - started < 6
    asked = len(mirror.asked)
    assert fetch() == [] and len(mirror.asked) == asked, "what has failed is not tried again"


@pytest.mark.parametrize(("digests", "sentence"), [
    (b"<html>Sign in</html>", "SHA256SUMS has no SHA-256 digest of etcd-v3.7.0-linux-amd64.tar.gz;"),
    (f"{'0' * 64}  etcd-v3.7.0-linux-amd64.tar.gz\n".encode(), f"linux-amd64.tar.gz has not the digest {'0' * 64};"),
    (status(404), "SHA256SUMS answers 404 Not Found;")])
def test_without_its_digest_no_archive_is_unpacked(mirror, monkeypatch, digests, sentence):
    monkeypatch.setattr(downloads.tarfile, "open", lambda *args: pytest.fail("unpacked"))
    mirror.answers[f"{ETCD}/SHA256SUMS"] = digests
    assert sentence in fetch()[-1] and "etcd" not in whole()


def test_a_damaged_archive_with_the_right_digest(mirror):
    mirror.answers[f"{ETCD}/etcd-v3.7.0-linux-amd64.tar.gz"] = PROGRAM
    mirror.answers[f"{ETCD}/SHA256SUMS"] = f"{hashlib.sha256(PROGRAM).hexdigest()} *etcd-v3.7.0-linux-amd64.tar.gz\n".encode()
    assert "linux-amd64.tar.gz: file could not be opened" in fetch()[-1] and "etcd" not in whole()


def test_redirects_are_followed_as_releases_need_it(mirror):
    mirror.answers["/elsewhere"] = PROGRAM
    mirror.answers[f"{K8S}/kube-apiserver"] = redirect(f"{mirror.address}/elsewhere")
    fetch()
    assert len(whole()) == 3


@contextlib.contextmanager
def black_hole():
    """An address that drops whatever is sent to it: a server whose queue of connections is full."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as server, contextlib.ExitStack() as stack:
        for _ in range(4):
            client = stack.enter_context(socket.socket())
            client.setblocking(False)
            client.connect_ex(server.getsockname())
        yield f"https://127.0.0.1:{server.getsockname()[1]}"


def test_a_black_hole(mirror, monkeypatch):
    with black_hole() as address:
        monkeypatch.setenv("LAB_DOWNLOADS", address)
        started, lines = time.monotonic(), fetch()
    assert f"{address.removeprefix('https://')} accepts no connection within 0.4 s;" in lines[-1]
    assert time.monotonic() - started < 2 and mirror.asked == []


def test_a_name_server_that_hangs_does_not_keep_the_process_either(mirror, tmp_path):
    script = ("import socket, time; from pathlib import Path; from lab import downloads, programs\n"
              "socket.getaddrinfo = lambda *args, **options: time.sleep(60)\n"
              f"downloads.fetch(programs.paths('go'), Path({str(PINS)!r}), Path({str(tmp_path)!r}), print, limits=downloads.Limits(0.3))")
    started = time.monotonic()
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=30, check=True,
                         env={**os.environ, "PYTHONPATH": str(programs.SOURCES.parent), "LAB_DOWNLOADS": "https://mirror.example.org"})
    assert "no name server tells the address of mirror.example.org within 0.3 s;" in run.stdout and time.monotonic() - started < 10


@pytest.mark.parametrize(("address", "sentence"), [
    ("http://127.0.0.1", "LAB_DOWNLOADS=http://127.0.0.1 is neither off nor an https address;"),
    ("https://somebody:password@127.0.0.1", "LAB_DOWNLOADS has a user's name in it"),
    ("https://127.0.0.1:1", "Connection refused;"),
    ("https://mirror.example.org", "Name or service not known;")])
def test_addresses_that_lead_nowhere(mirror, monkeypatch, address, sentence):
    lookup = socket.getaddrinfo

    def getaddrinfo(host, *args, **options):
        if host == "mirror.example.org":
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return lookup(host, *args, **options)

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    monkeypatch.setenv("LAB_DOWNLOADS", address)
    lines = fetch()
    assert sentence in lines[-1] and "password" not in lines[-1]
    assert fetch() == []
    monkeypatch.setenv("LAB_DOWNLOADS", mirror.address)
    fetch()
    assert len(whole()) == 3, "another address is another attempt"


def test_an_authority_that_nobody_knows(mirror, monkeypatch, tmp_path):
    monkeypatch.setenv("SSL_CERT_FILE", str(Authority(tmp_path / "another").certificate_file))
    assert "certificate" in fetch()[-1] and mirror.asked == [] and whole() == []


def test_a_proxy_that_refuses(mirror, monkeypatch):
    class Proxy(http.server.BaseHTTPRequestHandler):
        def do_CONNECT(self):
            self.send_error(403)

        def log_message(self, *args):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Proxy) as proxy:
        threading.Thread(target=proxy.serve_forever, args=[0.05], daemon=True).start()
        monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{proxy.server_port}")
        monkeypatch.setenv("LAB_DOWNLOADS", "https://mirror.example.org")
        assert "kube" in (line := fetch()[-1]) or "etcd" in line
        assert "Tunnel connection failed: 403 Forbidden;" in line
        proxy.shutdown()


def test_off_asks_nobody_and_says_nothing(mirror, monkeypatch):
    monkeypatch.setenv("LAB_DOWNLOADS", "off")
    assert fetch() == [] and mirror.asked == []


def test_another_processor_is_told(mirror, monkeypatch):
    monkeypatch.setattr(downloads.platform, "machine", lambda: "riscv64")
    assert fetch()[-1].startswith("no downloads, because there are none for riscv64;")


def test_a_failure_is_forgotten_after_an_hour(mirror):
    complete = dict(mirror.answers)
    mirror.answers.clear()
    fetch()
    mirror.answers.update(complete)
    assert fetch() == []
    marker = programs.cache_directory() / "downloads-failed"
    os.utime(marker, (time.time() - downloads.FORGET - 1,) * 2)
    fetch()
    assert len(whole()) == 3


def test_what_cannot_be_downloaded_is_built_at_once_and_the_rest_is_kept(mirror, monkeypatch):
    """The build gets what is missing, also after a digest that is wrong."""
    def answer(handler):
        time.sleep(0.3)  # the others are whole by then
        status(404)(handler)

    mirror.answers[f"{K8S}/kube-apiserver"] = answer
    built = []
    monkeypatch.setattr(programs, "build", lambda report, module, *rest: built.append((module, sorted(programs._missing_files(module)))))
    programs.ensure(lambda line: None)
    assert built == [("go", ["kube-apiserver"])] and whole() == ["etcd", "kube-controller-manager"]


def test_progress_is_told(mirror):
    def answer(handler):
        head(handler, len(PROGRAM))
        for at in range(0, len(PROGRAM), len(PROGRAM) // 5):
            handler.wfile.write(PROGRAM[at:at + len(PROGRAM) // 5])
            time.sleep(0.1)

    mirror.answers[f"{K8S}/kube-apiserver"] = answer
    assert any("of 0 MiB, 0 s" in line or "of 1 MiB, 0 s" in line for line in fetch()) and len(whole()) == 3


def test_two_at_once_download_once(mirror):
    results = []
    both = [threading.Thread(target=lambda: results.append(programs.ensure(lambda line: None))) for _ in range(2)]
    for each in both:
        each.start()
    for each in both:
        each.join()
    assert results[0] == results[1] and sorted(mirror.asked) == sorted(mirror.answers) and len(whole()) == 3


def heed_ctrl_c():
    """A shell lets what it starts in the background, such as a whole run of the tests, ignore it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_killed_in_the_middle_no_half_program_is_left_and_the_next_run_gets_all(mirror, number):
    mirror.answers[f"{K8S}/kube-apiserver"] = slowly
    process = subprocess.Popen([sys.executable, "-m", "lab.programs", "go"], stderr=subprocess.DEVNULL,
                               env={**os.environ, "PYTHONPATH": str(programs.SOURCES.parent)}, preexec_fn=heed_ctrl_c)
    deadline = time.monotonic() + 20
    while not (begun := list(programs.cache_directory().glob("lab-*/kube-apiserver.*"))) and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(number)
    process.wait(10)
    assert begun and not programs.paths("go")["kube-apiserver"].exists()
    mirror.publish()
    programs.ensure(lambda line: None)
    assert len(whole()) == 3
