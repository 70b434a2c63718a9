"""Patterns of JOBS entries, judged as Go judges them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from ansible_collections.gen3.uploads.plugins.module_utils._ssjdispatcher import patterns
from ansible_collections.gen3.uploads.plugins.module_utils._ssjdispatcher.patterns import (
    PatternError,
    check,
    is_anchored,
    is_judged,
    matches,
    named_buckets,
    winner,
)

ENTRIES = json.loads((Path(__file__).resolve().parents[2] / "contracts" / "job_patterns.json").read_text())


def of_type(kind):
    return [entry for entry in ENTRIES if entry["type"] == kind]


def test_no_entry_of_the_contract_is_left_out():
    assert len(of_type("pattern")) + len(of_type("invalid_pattern")) + len(of_type("job_configs")) == len(ENTRIES) == 140


@pytest.mark.parametrize("entry", of_type("pattern"), ids=lambda entry: f"{entry['pattern']} on {entry['path']}")
def test_a_pattern_matches_as_in_go(entry):
    assert matches(entry["pattern"], entry["path"]) == entry["matches"]


@pytest.mark.parametrize("entry", of_type("pattern"), ids=lambda entry: f"{entry['pattern']} on {entry['path']}")
def test_what_is_judged_without_re2_is_judged_as_in_go(entry, monkeypatch):
    monkeypatch.setattr(patterns, "re2", None)
    assert not is_judged(entry["pattern"]) or matches(entry["pattern"], entry["path"]) == entry["matches"]


def test_hardly_a_pattern_is_not_judged_without_re2(monkeypatch):
    monkeypatch.setattr(patterns, "re2", None)
    entries = of_type("pattern")
    assert len([entry for entry in entries if is_judged(entry["pattern"])]) > 0.9 * len(entries)
    assert not any(is_judged(entry["pattern"]) for entry in of_type("invalid_pattern"))


@pytest.mark.parametrize("entry", of_type("invalid_pattern"), ids=lambda entry: entry["pattern"])
def test_a_pattern_that_go_refuses_is_refused(entry):
    with pytest.raises(PatternError):
        check(entry["pattern"])


@pytest.mark.parametrize("entry", of_type("job_configs"), ids=lambda entry: entry["why"])
def test_the_last_match_wins(entry):
    jobs = [job["pattern"] for job in entry["jobs"]]
    if entry["outcome"] == "crash":
        with pytest.raises(PatternError):
            winner(jobs, entry["path"])
    else:
        index = winner(jobs, entry["path"])
        assert (None if index is None else entry["jobs"][index]["name"]) == entry["winner"]


# Each confirmed with Go 1.26.8.
@pytest.mark.parametrize(
    "pattern",
    [r"\C", r"a\C+", r"\Qx\E\C", r"\\\C", "(?P<é>x)", "(?<é>x)", "(" * 1000 + "a" + ")" * 1000],
    ids=["any byte", "repeated", "after a quotation", "after a backslash", "group", "short group", "nesting"],
)
def test_what_re2_takes_and_go_does_not_is_refused(pattern):
    with pytest.raises(PatternError):
        check(pattern)


@pytest.mark.parametrize(
    "pattern", [r"\Q\C\E", r"\\C", r"\Q(?P<é>\E", "(?P<bucket_1>x)", r"\pL{1000}", "(" * 200 + "a" + ")" * 200],
    ids=["quoted", "escaped backslash", "quoted group", "group", "large", "nesting"],
)
def test_what_go_takes_is_taken(pattern):
    check(pattern)


def test_a_lone_surrogate_is_the_replacement_character_as_in_go():
    assert matches("^s3://a/\ud800$", "s3://a/\ufffd")


@pytest.mark.parametrize(
    "pattern, anchored",
    [
        ("^s3://a/.+", True),
        ("^s3://(a|b)/.+", True),
        (r"\As3://a/.+", True),
        ("(?i)^s3://a/.+", True),
        ("(?s)^s3://a/.+", True),
        ("^s3://a/[|]x", True),
        (r"^s3://a/\|x", True),
        (r"^s3://a/\Q|", True),
        ("^[]|]", True),
        ("^[[:alpha:]|]", True),
        ("s3://a/.+", False),
        ("s3://a/*", False),
        ("", False),
        (".*", False),
        ("^s3://a/|s3://b/", False),
        ("^s3://(a)/|x", False),
        ("(?m)^s3://a/.+", False),
        ("(?im)^s3://a/.+", False),
        ("^*s3://a/", False),
        ("^?s3://a/", False),
        ("^{0}s3://a/", False),
        (r"\^s3://a/", False),
        ("[^]s3://a/]", False),
        (r"\.txt$", False),
    ],
)
def test_anchored(pattern, anchored):
    assert is_anchored(pattern) is anchored


@pytest.mark.parametrize(
    "pattern, buckets",
    [
        ("^s3://gen3-bucket/.+", ["gen3-bucket"]),
        ("s3://gen3-bucket/*", ["gen3-bucket"]),
        ("s3://gen3-bucket", ["gen3-bucket"]),
        (r"^s3://(a\.b|c)/.+", ["a.b", "c"]),
        (r"^s3://(?:a|c)/[0-9a-f]{8}", ["a", "c"]),
        (r"^s3://gen3\-bucket/", ["gen3-bucket"]),
        ("^s3://(a[.]b|c)/.+", ["a.b", "c"]),
        ("^s3://a[.]b/.+", ["a.b"]),
        ("^s3://a[.-]b/.+", ["a-b", "a.b"]),
        ("^s3://.*/x", None),
        ("^s3://a.*", None),
        ("", None),
        (".*", None),
        (r"\.bam$", None),
        ("^s3://(a|b)x/.+", ["ax", "bx"]),
        ("s3://a/|s3://b/", ["a", "b"]),
        ("^s3://(a[.]b|c)/.+", ["a.b", "c"]),
        (r"^s3://(a\.b/x/.+|(c|d)/.+|e/.*[.]bam$)", ["a.b", "c", "d", "e"]),
        ("^s3://[^/]+/.+", None),
        (r"^s3://\bx/.+", None),
    ],
)
def test_named_buckets(pattern, buckets):
    assert named_buckets(pattern) == buckets
