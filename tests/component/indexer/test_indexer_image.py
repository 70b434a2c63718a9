"""The role indexer_image: its lists of variables agree, its pins hold, and its README is true."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from importlib.metadata import version

import pytest
import yaml
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar, trust_as_template
from conftest import SOURCES
from indexer import configuration
from indexer.configuration import SecretReference

ROLE = SOURCES.parent
ROOT = ROLE.parents[1]
DEFAULTS = yaml.safe_load((ROLE / "defaults" / "main.yml").read_text())
OPTIONS = yaml.safe_load((ROLE / "meta" / "argument_specs.yml").read_text())["argument_specs"]["main"]["options"]
README = (ROLE / "README.md").read_text()
NAME = "registry.example.org/gen3/indexer"
CONTAINERFILE = (SOURCES / "Containerfile").read_text()


def templar(role=ROLE, **variables):
    """Return a templar that knows the role's variables, with these on top."""
    loader = DataLoader()
    defaults = loader.load_from_file(str(role / "defaults" / "main.yml"), trusted_as_template=True)
    return Templar(loader=loader, variables={"role_path": str(role), **defaults, **variables})


def tag(role=ROLE, **variables):
    return templar(role, **variables).template(trust_as_template("{{ indexer_image_tag }}"))


def test_the_tag_names_the_content(tmp_path):
    """Another source, base or platform has another tag; the same at another place has not."""
    same, other = (shutil.copytree(ROLE, tmp_path / name) for name in ("same", "other"))
    with open(other / "files" / "indexer" / "address.py", "a") as source:
        source.write("# another source\n")
    assert tag(same) == tag()
    assert len({tag(), tag(other), tag(indexer_image_base="python:3.14"), tag(indexer_image_platform="linux/arm64")}) == 4


@pytest.mark.parametrize(("variables", "good"), [
    ({"indexer_image_name": NAME}, True),
    ({"indexer_image_name": "127.0.0.1:5000/a/b-c/d.e_f", "indexer_image_tag": "1.2-x_Y"}, True),
    *(({"indexer_image_name": name}, False) for name in (
        None, "", "indexer", f"{NAME}:1", f"{NAME}@sha256:0", "registry.example.org/Indexer", f"{NAME}\n")),
    *(({"indexer_image_name": NAME, "indexer_image_tag": wrong}, False) for wrong in ("", ".1", "a b", "a" * 129, "1\n"))])
def test_names_are_checked(variables, good):
    task = yaml.safe_load((ROLE / "tasks" / "main.yml").read_text())[0]
    conditions = task["ansible.builtin.assert"]["that"]
    assert all(templar(**variables).evaluate_conditional(trust_as_template(condition)) for condition in conditions) is good


def test_each_default_is_an_argument_and_each_argument_has_a_default():
    assert set(DEFAULTS) == set(OPTIONS)


@pytest.mark.parametrize("name", [name for name, option in OPTIONS.items() if "default" in option])
def test_defaults_are_as_documented(name):
    assert DEFAULTS[name] == OPTIONS[name]["default"]


def test_role_and_containerfile_have_the_same_base():
    assert f"ARG PYTHON_IMAGE={DEFAULTS['indexer_image_base']}\n" in CONTAINERFILE


def renew(tree, base):
    return subprocess.run(["make", "--silent", "-C", tree, "renew-indexer-base", f"BASE={base}"], capture_output=True, text=True)


def test_the_base_is_renewed_in_all_files_that_name_it(tmp_path):
    """By the command that the role's README tells, of which the digest is the only part left open."""
    told = re.search(r"^make renew-indexer-base BASE=(\S+)…$", README, re.MULTILINE)[1]
    files = ["Makefile", *(f"roles/indexer_image/{name}" for name in ("defaults/main.yml", "files/Containerfile", "meta/argument_specs.yml"))]
    for name in files:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    before = {name: (tmp_path / name).read_text() for name in files}
    assert renew(tmp_path, told).returncode != 0, "without a digest it is not pinned"
    assert {name: (tmp_path / name).read_text() for name in files} == before

    for base in (told + "0" * 64, told + "1" * 64):  # and once more, from what it has written
        assert renew(tmp_path, base).returncode == 0
        for name in files[1:]:
            assert (tmp_path / name).read_text() == before[name].replace(DEFAULTS["indexer_image_base"], base) != before[name]


def test_the_image_does_not_run_as_root():
    user = re.findall(r"^USER (\d+):(\d+)$", CONTAINERFILE, re.MULTILINE)
    assert user and "0" not in user[0]


def test_every_requirement_is_pinned_with_hashes():
    entries = re.split(r"\n(?=\S)", (SOURCES / "requirements.txt").read_text().strip())[1:]
    assert {entry.partition("==")[0] for entry in entries} >= {"botocore", "google-crc32c", "urllib3"}
    for entry in entries:
        assert re.match(r"[a-z0-9-]+==\S+ \\\n    --hash=sha256:[0-9a-f]{64}", entry), entry


def test_what_is_tested_is_what_is_in_the_image():
    """Patch releases apart: those of botocore come with boto3, daily."""
    pins = dict(re.findall(r"^([a-z0-9-]+)==(\S+)", (SOURCES / "requirements.txt").read_text(), re.MULTILINE))
    for name in ("botocore", "google-crc32c"):
        assert version(name).split(".")[:2] == pins[name].split(".")[:2]


def test_the_readme_shows_a_configuration_that_is_understood():
    text = re.search(r"```json\n(.*?)```", README, re.DOTALL)[1]
    settings = configuration.parse_s3(configuration.parse(text).s3)
    assert settings.keys == SecretReference("minio-indexer", "access_key_id", "secret_access_key")
    assert settings.endpoint_url == json.loads(text)["s3"]["endpoint_url"]
    assert settings.addressing_style and settings.ca_bundle and settings.region
