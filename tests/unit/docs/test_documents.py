"""What the documents say is there: links, commands, playbooks, modules and variables."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[3]
MAIN = "https://github.com/gen3-uploads/gen3.uploads/blob/main/"
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "roles").glob("*/README.md"), ROOT / "tests/README.md",
                ROOT / "tests/lab/README.md"])
PAGES.remove(ROOT / "CHANGELOG.md")
GUIDES = [ROOT / "README.md", *sorted((ROOT / "docs/guides").glob("*.md"))]
VARIABLES = {name for file in (ROOT / "roles").glob("*/meta/argument_specs.yml")
             for entry in yaml.safe_load(file.read_text())["argument_specs"].values() for name in entry["options"]}
PREFIXES = tuple(sorted({f"{file.name}_" for file in (ROOT / "roles").iterdir()}))


def blocks(page, *languages):
    """Return the code blocks of these languages."""
    return [text for language, text in re.findall(r"^ *```(\w+)\n(.*?)^ *```", page.read_text(), re.DOTALL | re.MULTILINE)
            if language in languages]


def links(page):
    """Yield the file that each link to this repository names, and its heading where it names one."""
    for target in re.findall(r"\]\(([^)\s]+)\)", re.sub(r"```.*?```", "", page.read_text(), flags=re.DOTALL)):
        target = target.removeprefix(MAIN) if target.startswith(MAIN) else target
        if "://" not in target and not target.startswith("mailto:"):
            name, _, heading = target.partition("#")
            base = ROOT if (MAIN + name) in page.read_text() else page.parent
            yield (base / name if name else page), heading


def headings(page):
    """Return the anchors of a page as they are shown on the web."""
    return {re.sub(r"[^\w\- ]", "", line.lstrip("# ")).strip().lower().replace(" ", "-")
            for line in page.read_text().splitlines() if line.startswith("#")}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page):
    for file, heading in links(page):
        assert file.exists(), f"{page.name} links to {file}"
        assert not heading or heading in headings(file), f"{page.name} links to {heading} of {file}"


def test_the_pages_are_found_and_checked():
    assert len(PAGES) > 25 and sum(len(list(links(page))) for page in PAGES) > 60


def test_the_readme_is_short():
    assert len((ROOT / "README.md").read_text().splitlines()) <= 120


def test_each_decision_is_listed():
    index = (ROOT / "docs/decisions/README.md").read_text()
    assert [file.name for file in (ROOT / "docs/decisions").glob("0*.md") if file.name not in index] == []


@pytest.mark.parametrize("page", GUIDES, ids=lambda page: page.name)
def test_commands_name_what_is_there(page):
    targets = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for block in blocks(page, "sh", "console"):
        for name in re.findall(r"\bgen3\.uploads\.(\w+)", block):
            assert (ROOT / f"playbooks/{name}.yml").exists() or (ROOT / f"plugins/modules/{name}.py").exists(), name
        assert set(re.findall(r"^(?:\$ )?make ([\w-]+)", block, re.MULTILINE)) <= targets
        assert unknown(re.findall(r"-e (\w+)=", block)) == set()


@pytest.mark.parametrize("page", GUIDES, ids=lambda page: page.name)
def test_examples_are_yaml_with_variables_that_exist(page):
    for block in blocks(page, "yaml"):
        document = yaml.safe_load(block)
        assert unknown(names(document)) == set(), block


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_variables_in_the_text_exist(page):
    text = re.sub(r"```.*?```", "", page.read_text(), flags=re.DOTALL)
    assert {name for name in re.findall(r"`(uploads_\w+)[`:=]", text)} - VARIABLES == set()


def names(document):
    """Yield all keys of a document, at every depth."""
    if isinstance(document, dict):
        for key, value in document.items():
            yield str(key)
            yield from names(value)
    elif isinstance(document, list):
        for each in document:
            yield from names(each)


def unknown(found):
    """Return the names that look like variables of a role and are none."""
    return {name for name in found if name.startswith(PREFIXES) and name not in VARIABLES}


def test_a_variable_that_does_not_exist_is_found():
    assert unknown(["uploads_regoin", "minio_tls", "my_own", "event_bridge_plaec"]) == {"uploads_regoin", "event_bridge_plaec"}
