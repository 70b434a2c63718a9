"""The role indexer_image: the image is really built by Docker, pushed, pulled again, and indexes an object as a Job would have it.

Where no image can be pulled, as MOLECULE_NODE_IMAGE tells, the base is made from that node's Python and packages fetched here by pip.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pip
import pytest
from bench.indexer import Uploads
from bench.minio_server import connect, minio
from lab import programs
from lab.certificates import Authority
from plays import succeed
from registry import Registry

ROOT = Path(__file__).resolve().parents[2]
ROLE = ROOT / "roles" / "indexer_image"
PLAYBOOK = "gen3.uploads.build_indexer"
BUILD, PUSH = (f"gen3.uploads.indexer_image : {task} with Docker" for task in ("Build the image", "Push the image"))
BASE = """
FROM {node}
COPY pip /usr/lib/python3/dist-packages/pip
COPY wheels /wheels
ENV PIP_NO_INDEX=1 PIP_FIND_LINKS=/wheels
RUN ln -s python3 /usr/bin/python \\
 && printf '#!/bin/sh\\nexec python -m pip "$@"\\n' >/usr/local/bin/pip \\
 && chmod 755 /usr/local/bin/pip
"""
COMPILED = """
import json, os, sys
import indexer.__main__
modules = [module for module in sys.modules.values() if (getattr(module, "__file__", None) or "").startswith("/opt/")]
sources = [module for module in modules if module.__file__.endswith(".py")]
print(json.dumps([os.getuid(), len(sources), [source.__file__ for source in sources if not os.path.exists(source.__cached__)]]))
"""
SIZE = 160 << 20  # more than the container may have


@pytest.fixture(scope="module")
def docker(tmp_path_factory):
    """A function that runs Docker's command and returns its result; its environment has the plugin buildx."""
    environment = {}

    def docker(*arguments, check=True, **more):
        return subprocess.run(["docker", *arguments], env={**os.environ, **environment, **more}, check=check, text=True,
                              stdin=subprocess.DEVNULL, capture_output=True, timeout=900)

    if docker("info", check=False).returncode:
        pytest.skip("no Docker daemon answers")
    if docker("buildx", "version", check=False).returncode:
        plugins = tmp_path_factory.mktemp("docker") / "cli-plugins"
        plugins.mkdir()
        (plugins / "docker-buildx").symlink_to(programs.ensure(print, "go-buildx")["docker-buildx"])
        environment["DOCKER_CONFIG"] = str(plugins.parent)
    docker.environment = lambda: environment  # plays.run asks for it
    return docker


@pytest.fixture(scope="module")
def base(docker, tmp_path_factory):
    """The variables for the base of the image: none where the default can be pulled."""
    node = os.environ.get("MOLECULE_NODE_IMAGE")
    if not node:
        return {}
    requirements = ROLE / "files" / "requirements.txt"
    dockerfile = BASE.format(node=node)
    name = f"gen3-uploads-python:{hashlib.sha256(dockerfile.encode() + requirements.read_bytes()).hexdigest()[:12]}"
    if docker("image", "inspect", name, check=False).returncode:
        context = tmp_path_factory.mktemp("base")
        (context / "Dockerfile").write_text(dockerfile)
        shutil.copytree(Path(pip.__file__).parent, context / "pip", ignore=shutil.ignore_patterns("__pycache__"))
        version = docker("run", "--rm", "--entrypoint=python3", node, "-c", "import sys; print('%d.%d' % sys.version_info[:2])").stdout
        subprocess.run(
            [sys.executable, "-m", "pip", "download", "--quiet", "--dest", context / "wheels", "--require-hashes", "--no-deps",
             "--only-binary=:all:", f"--python-version={version.strip()}", f"--requirement={requirements}"], check=True)
        docker("buildx", "build", "--tag", name, str(context))
    return {"indexer_image_base": name}


@pytest.fixture(scope="module")
def registry():
    """A registry on this machine."""
    registry = Registry()
    yield registry
    registry.shutdown()
    registry.server_close()


@pytest.fixture(scope="module")
def variables(base, registry, docker):
    """The role's variables; the images are removed at the end."""
    name = f"{registry.address}/gen3/indexer"
    yield {"indexer_image_name": name, **base}
    images = docker("images", "--quiet", "--no-trunc", name).stdout.split()
    if images:
        docker("rmi", "--force", *images)


@pytest.fixture(scope="module")
def built(docker, variables):
    """The first run: the play and the image's name."""
    play = succeed(docker, PLAYBOOK, inventory="localhost,", variables=variables)
    return SimpleNamespace(play=play, image=image_of(play))


def image_of(play):
    """Return what the playbook tells."""
    return next(result["indexer_image_result"] for task, result in play.results if task == "Show the image's name")


def test_check_mode_tells_what_would_be_built(docker, variables, registry):
    play = succeed(docker, PLAYBOOK, "--check", inventory="localhost,", variables={**variables, "indexer_image_tag": "never"})
    assert play.changed == [BUILD]
    assert image_of(play) == f"{variables['indexer_image_name']}:never"
    assert docker("image", "inspect", image_of(play), check=False).returncode
    assert ("gen3/indexer", "never") not in registry.manifests


def test_it_is_built_and_pushed_once(docker, variables, registry, built):
    assert built.play.changed == [BUILD, PUSH]
    name, _, tag = built.image.rpartition(":")
    assert name == variables["indexer_image_name"]
    assert ("gen3/indexer", tag) in registry.manifests
    again = succeed(docker, PLAYBOOK, inventory="localhost,", variables=variables)
    assert (again.changed, image_of(again)) == ([], built.image)


def test_the_digest_of_an_image_is_told_as_the_readme_says(docker, registry, built):
    told = re.search(r"^docker image inspect --format '([^']+)' ", (ROLE / "README.md").read_text(), re.MULTILINE)[1]
    name, _, tag = built.image.rpartition(":")
    repository, digest = docker("image", "inspect", "--format", told, built.image).stdout.strip().split("@")
    assert repository == name
    assert registry.manifests["gen3/indexer", tag] == registry.manifests["gen3/indexer", digest]


@pytest.fixture(scope="module")
def uploads(tmp_path_factory):
    """A real MinIO server behind TLS, indexd and the metadata service; ``upload`` makes the record and the object."""
    directory = tmp_path_factory.mktemp("minio")
    authority = Authority(directory / "ca")
    with minio(directory / "data", authority) as (url, secret):
        s3, uploads = connect(url, secret, authority), Uploads(url, secret, authority)
        yield SimpleNamespace(upload=lambda file: uploads.upload(s3, file), job=uploads.job, indexd=uploads.indexd)


def test_the_pushed_image_indexes_an_object(docker, built, uploads, tmp_path):
    """As restricted as a pod can be: not root, nothing to write, no capability, the dispatcher's default request of memory as a limit."""
    docker("rmi", built.image)
    file = tmp_path / "with space+ü.bin"
    file.write_bytes(body := os.urandom(SIZE))
    where = uploads.upload(file)
    job = uploads.job(where)
    process = docker("run", "--rm", "--network=host", "--read-only", "--cap-drop=ALL", "--security-opt=no-new-privileges", "--memory=100m",
                     *(f"--env={name}" for name in job), built.image, check=False, **job)
    assert process.returncode == 0, process.stderr
    record, = uploads.indexd.records.values()
    assert record["size"] == SIZE
    assert record["hashes"]["sha512"] == hashlib.sha512(body).hexdigest()
    assert docker("run", "--rm", built.image, check=False).returncode == 2, "the environment lacks everything"


def test_who_it_runs_as_and_that_it_is_compiled(docker, built):
    """A Job that compiled its modules anew would need seconds for a small file."""
    output = docker("run", "--rm", "--read-only", "--entrypoint=python", built.image, "-c", COMPILED).stdout
    user, sources, missing = json.loads(output)
    assert (user, missing) == (65532, [])
    assert sources > 50
