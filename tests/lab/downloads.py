# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Programs of the lab as their projects have released them, so that nobody waits for a build who has the internet.

``LAB_DOWNLOADS`` is the https address of a mirror, below which the projects' addresses follow without ``https://``, or ``off``.

A program appears under its name only whole and with the right digest: the one that is pinned here, else that of the release's own
file, read over TLS. The first failure ends all attempts for an hour: whoever has no internet loses seconds, once. Nothing here needs
more than Python itself.
"""
from __future__ import annotations

import contextlib
import functools
import hashlib
import http.client
import os
import platform
import queue
import re
import shutil
import socket
import ssl
import tarfile
import threading
import time
import urllib.error
import urllib.request
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

Report = Callable[[str], None]


@dataclass(frozen=True)
class Release:
    """Where a project has the files of its releases; ``{version}`` is that of the Go module ``pin``, ``{arch}`` as Go names it."""

    pin: str
    address: str
    digests: str
    """A file with SHA-256 digests: one alone, or lines of a digest and a file's name."""
    member: str = ""
    """The program's name in the archive; empty where the file is the program itself."""
    sha256: Mapping[tuple[str, str], str] = field(default_factory=dict)
    """(version, architecture) -> digest, where it is known without asking."""


def _kubernetes(name: str) -> Release:
    address = f"dl.k8s.io/release/{{version}}/bin/linux/{{arch}}/{name}"
    return Release("k8s.io/kubernetes", address, f"{address}.sha256")


_ETCD = "github.com/etcd-io/etcd/releases/download/{version}"
_BUILDX = "github.com/docker/buildx/releases/download/{version}"

RELEASES = {
    "etcd": Release("go.etcd.io/etcd/server/v3", f"{_ETCD}/etcd-{{version}}-linux-{{arch}}.tar.gz", f"{_ETCD}/SHA256SUMS",
                    member="etcd-{version}-linux-{arch}/etcd"),
    "kube-apiserver": _kubernetes("kube-apiserver"),
    "kube-controller-manager": _kubernetes("kube-controller-manager"),
    "docker-buildx": Release(
        "github.com/docker/buildx", f"{_BUILDX}/buildx-{{version}}.linux-{{arch}}", f"{_BUILDX}/checksums.txt", sha256={
            ("v0.23.0", "amd64"): "55838fdd095084e158e06a63635a07fe8a8bc6cb4db507f203394dc1ffa7fb8b",
            ("v0.23.0", "arm64"): "50b0b14770127b292e3e2f756d0137152b08afc1d7daa09f49d2b6e6fa1b1b81"}),
}
"""MinIO's community edition has no releases any more. Bento has, but tests show that what the role event_bridge builds is enough."""

ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
FORGET = 3600
"""Seconds after which a failure no longer keeps from a new attempt."""


@dataclass(frozen=True)
class Limits:
    """What an attempt may take."""

    patience: float = 5
    """Seconds within which a request must be answered."""
    slowest: float = 500_000
    """Bytes per second of all downloads together: with less, the build is done sooner."""
    silence: float = 7
    """Seconds between two lines of progress."""


class Failed(Exception):
    """Nothing more will be downloaded; the message is why, in words that can follow "because"."""


def fetch(programs: Mapping[str, Path], pins: Path, cache: Path, report: Report,
          wanted: Callable[[], bool] = lambda: True, limits: Limits = Limits()) -> None:
    """Download those of the programs (name -> file) that have a release, in the versions that the file ``pins`` (go.mod) names.

    ``cache`` is where a failure is remembered. Whatever fails is told in one sentence and no error: the caller builds what is missing.
    """
    mirror = os.environ.get("LAB_DOWNLOADS", "")
    known = {name: RELEASES[name] for name in programs if name in RELEASES}
    if mirror == "off" or not known or _failed_lately(cache, mirror):
        return
    try:
        arch = ARCHITECTURES.get(platform.machine())
        if not arch:
            raise Failed(f"there are none for {platform.machine()}")
        if "@" in mirror:
            raise Failed("LAB_DOWNLOADS has a user's name in it, and a mirror is asked without a login")
        if mirror and not mirror.startswith("https://"):
            raise Failed(f"LAB_DOWNLOADS={mirror} is neither off nor an https address")
        versions = {name: _version(release.pin, pins.read_text()) for name, release in known.items()}
        downloads = [_Download(release, versions[name], arch, mirror, programs[name], limits) for name, release in known.items()]
        _run(downloads, report, wanted, limits)
    except Failed as failure:
        _remember_failure(cache, mirror)
        report(f"no downloads, because {failure}; the programs are built (LAB_DOWNLOADS names a mirror, or off)")


def _version(pin: str, text: str) -> str:
    """Return the version of a Go module in the text of a go.mod."""
    match = re.search(rf"^\s*(?:require )?{re.escape(pin)} (v\S+)", text, re.MULTILINE)
    assert match, f"go.mod does not name {pin}"
    return match[1]


def _run(downloads: list[_Download], report: Report, wanted: Callable[[], bool], limits: Limits) -> None:
    """Let all downloads run at once until all are done; the first failure ends them."""
    ended: queue.SimpleQueue[tuple[_Download, Failed | None]] = queue.SimpleQueue()
    # Not a pool: a thread that hangs in a question to a name server must not keep Python from ending.
    threads = [threading.Thread(target=lambda each=each: ended.put((each, each.run())), daemon=True) for each in downloads]
    started = told = window = time.monotonic()
    names, running, before = ", ".join(each.file.name for each in downloads), set(downloads), 0
    report(f"downloading {names}")
    for thread in threads:
        thread.start()
    try:
        while running and wanted():
            with contextlib.suppress(queue.Empty):
                each, failure = ended.get(timeout=min(0.2, limits.patience / 4))
                running.discard(each)
                if failure:
                    raise failure
            now, received = time.monotonic(), sum(each.received for each in downloads)
            for each in running:
                if each.awaited and now - each.asked > limits.patience:
                    raise Failed(each.overdue())
            if any(each.awaited for each in running):
                window, before = now, received
            elif now - window >= 2 * limits.patience:
                speed = (received - before) / (now - window)
                if speed < limits.slowest:
                    raise Failed(f"only {speed / 1000:.0f} kB/s arrive")
                window, before = now, received
            if now - told >= limits.silence:
                told = now
                sizes = f"{received >> 20} of {sum(each.size for each in downloads) >> 20} MiB"
                report(f"downloading {names}: {sizes}, {now - started:.0f} s; they are built if this fails")
        if not running:
            report(f"downloaded {names} in {time.monotonic() - started:.0f} s")
    finally:
        for each in downloads:
            each.stopped.set()
        for thread in threads:
            thread.join(0.2)


class _Download:
    """The download of one program."""

    def __init__(self, release: Release, version: str, arch: str, mirror: str, file: Path, limits: Limits):
        def fill(text: str) -> str:
            return text.format(version=version, arch=arch)

        base = f"{mirror.rstrip('/')}/" if mirror else "https://"
        self.file, self._limits = file, limits
        self._address, self._digests = base + fill(release.address), base + fill(release.digests)
        self._member, self._sha256 = fill(release.member), release.sha256.get((version, arch))
        self.received = self.size = 0
        self.awaited, self.asked = "no answer begins", time.monotonic()
        """What has not happened, as the beginning of a sentence, and since when it is waited for; empty while bytes arrive."""
        self.stopped = threading.Event()
        self._opener = urllib.request.build_opener(_Https(self._await), _Redirects(self._restart))
        self._opener.addheaders = [("User-Agent", "gen3.uploads")]

    def run(self) -> Failed | None:
        """Download; return why not."""
        # Names of its own: an attempt that was given up may still be ending while the program is built.
        arriving, unpacked = (self.file.with_name(f"{self.file.name}.{kind}") for kind in ("arriving", "unpacked"))
        try:
            self.file.parent.mkdir(parents=True, exist_ok=True)
            expected = self._sha256 or self._released_digest()
            if self._receive(arriving) != expected:
                raise Failed(f"{self._address} has not the digest {expected}")
            if self._member:
                with tarfile.open(arriving) as archive, open(unpacked, "wb") as program:
                    shutil.copyfileobj(archive.extractfile(self._member), program)
            whole = unpacked if self._member else arriving
            whole.chmod(0o755)
            whole.rename(self.file)
        except Failed as failure:
            return failure
        except (OSError, EOFError, KeyError, ValueError, tarfile.TarError, zlib.error, http.client.HTTPException) as error:
            return Failed(f"{self._address}: {_words(error)}")
        finally:
            arriving.unlink(missing_ok=True)
            unpacked.unlink(missing_ok=True)
        return None

    def _released_digest(self) -> str:
        """Return the digest in the release's own file."""
        with self._open(self._digests) as response:
            lines = response.read(1 << 20).decode("ascii", "replace").splitlines()
        name = self._address.rpartition("/")[2]
        for words in map(str.split, lines):
            if words and re.fullmatch("[0-9a-f]{64}", words[0]) and (words[1:] in ([], [name], [f"*{name}"])):
                return words[0]
        raise Failed(f"{self._digests} has no SHA-256 digest of {name}")

    def _receive(self, file: Path) -> str:
        """Write the release's file; return its digest."""
        digest = hashlib.sha256()
        with self._open(self._address) as response, open(file, "wb") as output:
            self.size = int(response.headers.get("Content-Length") or 0)
            while chunk := response.read1(1 << 16):
                if self.stopped.is_set():
                    raise Failed("it was given up")
                output.write(chunk)
                digest.update(chunk)
                self.received += len(chunk)
        if self.received < self.size:
            raise Failed(f"{self._address} ended after {self.received} of {self.size} bytes")
        return digest.hexdigest()

    @contextlib.contextmanager
    def _open(self, address: str) -> Iterator[http.client.HTTPResponse]:
        """Ask for an address, and follow redirects."""
        self._restart()
        try:
            with self._opener.open(address, timeout=self._limits.patience) as response:
                self._await("")
                yield response
        except urllib.error.HTTPError as error:
            error.close()
            if 300 <= error.code < 400:
                raise Failed(f"{address} leads through redirects to no file") from None
            raise Failed(f"{address} answers {error.code} {error.reason}") from None
        except (OSError, http.client.HTTPException) as error:
            in_vain = self.awaited and isinstance(getattr(error, "reason", error), TimeoutError)
            raise Failed(self.overdue() if in_vain else f"{address}: {_words(error)}") from None

    def overdue(self) -> str:
        """Return what is waited for in vain."""
        return f"{self.awaited} within {self._limits.patience:g} s"

    def _restart(self) -> None:
        """Give the next request its own time: one that was answered has shown that there is a way out."""
        self.asked = time.monotonic()
        self._await("no answer begins")

    def _await(self, what: str) -> None:
        self.awaited = what


class _Connection(http.client.HTTPSConnection):
    """A connection that tells what it waits for, so that the right one is named where it waits in vain."""

    def __init__(self, *args, await_: Callable[[str], None], **options):
        super().__init__(*args, **options)
        self._await = await_

    def connect(self) -> None:
        self._await(f"no name server tells the address of {self.host}")
        socket.getaddrinfo(self.host, self.port)
        self._await(f"{self.host}:{self.port} accepts no connection")
        super().connect()
        self._await(f"{self.host}:{self.port} gives no answer")


class _Https(urllib.request.HTTPSHandler):
    def __init__(self, await_: Callable[[str], None]):
        self._tls = ssl.create_default_context()
        super().__init__(context=self._tls)
        self._class = functools.partial(_Connection, await_=await_)

    def https_open(self, request: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(self._class, request, context=self._tls)


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follows redirects (releases are kept elsewhere than where their addresses lead), but none out of TLS."""

    def __init__(self, restart: Callable[[], None]):
        self._restart = restart

    def redirect_request(self, request, response, code, message, headers, address):
        if not address.startswith("https://"):
            raise Failed(f"{request.full_url} leads to {address}, which is not https")
        self._restart()
        return super().redirect_request(request, response, code, message, headers, address)


def _words(error: BaseException) -> str:
    """Return what an error says, in one line and without numbers of the operating system."""
    reason = getattr(error, "reason", error)
    if isinstance(reason, TimeoutError):
        return "nothing arrives any more"
    for attribute in ("verify_message", "strerror"):
        if getattr(reason, attribute, None):
            return getattr(reason, attribute)
    return " ".join(str(reason).split()) or type(reason).__name__


def _failed_lately(cache: Path, mirror: str) -> bool:
    """Return whether the same attempt has failed within the last hour."""
    file = _failure_file(cache)
    with contextlib.suppress(FileNotFoundError):
        return time.time() - file.stat().st_mtime < FORGET and file.read_text() == _circumstances(mirror)
    return False


def _remember_failure(cache: Path, mirror: str) -> None:
    cache.mkdir(parents=True, exist_ok=True)
    _failure_file(cache).write_text(_circumstances(mirror))


def _failure_file(cache: Path) -> Path:
    return cache / "downloads-failed"


def _circumstances(mirror: str) -> str:
    """Return a digest of what the way out depends on: who changes it wants a new attempt."""
    return hashlib.sha256(repr((mirror, sorted(urllib.request.getproxies().items()))).encode()).hexdigest()
