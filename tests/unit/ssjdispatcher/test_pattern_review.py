"""Who takes which upload today takes it tomorrow, or the change needs consent."""

from __future__ import annotations

import time

import pytest
from ansible_collections.gen3.uploads.plugins.module_utils._ssjdispatcher import pattern_review, patterns
from ansible_collections.gen3.uploads.plugins.module_utils._ssjdispatcher.automaton import Automaton
from ansible_collections.gen3.uploads.plugins.module_utils._ssjdispatcher.pattern_review import review
from ansible_collections.gen3.uploads.plugins.module_utils._ssjdispatcher.patterns import for_buckets
from ansible_collections.gen3.uploads.plugins.module_utils._ssjdispatcher.validate import Bucket, read_jobs

GUID = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
CONSENT = "ssjdispatcher_replace_pattern"


def jobs(*entries):
    return read_jobs({"JOBS": [{"name": name, "pattern": pattern} for name, pattern in entries]})


def bucket(name="gen3-bucket", storage="s3", job="indexing", **scope):
    return Bucket(name, storage, job, **scope)


def merged(before, *buckets):
    """Return the entries as the role leaves them: that of ours keeps its position, or comes last."""
    after = dict(before)
    for name in {each.job: None for each in buckets}:
        after[name] = for_buckets([vars(each) for each in buckets if each.job == name])
    return list(after.items())


def judge(before, *buckets, may_replace=False, after=None):
    return review(jobs(*before), jobs(*(after or merged(before, *buckets))), buckets, may_replace)


@pytest.mark.parametrize(
    "old, new, problem",
    [
        ("s3://gen3-bucket/*", "^s3://(gen3-bucket)/.+", None),
        ("^s3://(a|b)/.+", "^s3://(a|b|c)/.+", None),
        (r"^s3://(a\.b)/.+", "^s3://(a[.]b)/.+", None),
        ("^s3://(a[.]b)/.+", r"^s3://(a\.b)/.+", None),
        ("s3://b/[0-9a-f]{8}-.+", "^s3://(b)/.+", None),
        (f"s3://b/{GUID}/.*", "^s3://(b)/.+", None),
        ("*broken", "^s3://(b)/.+", None),
        ("^s3://(a|b)/.+", "^s3://(a)/.+", "no longer take the bucket b,"),
        ("s3://(a|b|c)/*", "^s3://(b)/.+", "no longer take the bucket a, c,"),
        (r"^s3://(a\.b|c)/.+", "^s3://(c)/.+", "no longer take the bucket a.b,"),
        (".*", "^s3://(a)/.+", "cannot be told"),
        ("", "^s3://(a)/.+", "cannot be told"),
        (r"\.bam$", "^s3://(a)/.+", "cannot be told"),
        ("(?m)^s3://a/.+", "^s3://(a)/.+", "cannot be told"),
        # A part of a bucket can be lost too.
        ("^s3://(a)/.+", "^s3://(a/blood(/|%2F).+)", "no longer take all that it takes of the bucket a, such as s3://a/x:"),
        ("^s3://(a)/.+", "^s3://(a/.*[.]bam$)", "no longer take all that it takes of the bucket a"),
    ],
)
def test_an_upload_is_not_lost_without_consent(old, new, problem):
    buckets = [bucket(name) for name in patterns.named_buckets(new)]
    found = judge([("indexing", old)], *buckets, after=[("indexing", new)])
    assert [problem in each and CONSENT in each for each in found.problems] == ([True] if problem else []), found.problems
    consented = judge([("indexing", old)], *buckets, after=[("indexing", new)], may_replace=True)
    assert consented.problems == []
    assert any(problem.rstrip(",") in each for each in consented.warnings) if problem else True


def test_the_patterns_of_others_may_change():
    assert judge([("indexing", "^s3://(a|b)/.+")], after=[("indexing", "^s3://a/.+")]).problems == []


def test_an_entry_that_goes_is_not_ours_to_judge():
    assert judge([("indexing", "^s3://(a|b)/.+")], bucket("a"), after=[("other", "^s3://a/.+")]).problems == []


def test_a_pattern_that_also_took_longer_names_is_warned_about():
    (warning,) = judge([("indexing", "s3://a/*")], bucket("a")).warnings
    assert "such as a-2" in warning


@pytest.mark.parametrize("pattern", ["s3://gen3-bucket/blood/*", "^s3://gen3-bucket/blood/.+", "s3://gen3-bucket/blood/"])
def test_what_another_commons_keeps_in_the_bucket_does_not_become_ours(pattern):
    """Entry for blood/ alone: with the bucket as a whole, brain/ would get our Jobs; with the prefix all stays as it is."""
    before = [("indexing", pattern)]
    (problem,) = judge(before, bucket()).problems
    assert "would take all uploads to the bucket gen3-bucket" in problem and "prefix" in problem and CONSENT in problem
    consented = judge(before, bucket(), may_replace=True)
    assert consented.problems == [] and any("would take all uploads" in each for each in consented.warnings)
    assert judge(before, bucket(prefix="blood/")).problems == []
    assert patterns.winner([merged(before, bucket(prefix="blood/"))[0][1]], "s3://gen3-bucket/brain/x") is None


def test_what_is_newly_taken_and_no_upload_is_told():
    (warning,) = judge([("indexing", f"^s3://b/{GUID}/.+")], bucket("b")).warnings
    assert "takes more of the bucket b" in warning


def test_a_file_of_another_entry_stays_its_own():
    before = [("usersync", "s3://gen3-bucket/user.yaml"), ("indexing", f"^s3://gen3-bucket/{GUID}/.+")]
    (problem,) = judge(before, bucket()).problems
    assert "from the entry usersync" in problem and "s3://gen3-bucket/user" in problem and CONSENT in problem
    assert judge(before, bucket(), may_replace=True).problems == []
    # Behind ours it keeps what is its own, and takes no upload.
    assert judge(before[::-1], bucket()).problems == []


@pytest.mark.parametrize("pattern", ["^s3://gen3-bucket/.+", r"\.bam$", "^s3://[^/]+/dg.TEST/.+", "s3://gen3-bucket/*", "(?i)[.]VCF"])
def test_a_new_entry_takes_nothing_from_those_that_are_there(pattern):
    found = judge([("theirs", pattern)], bucket())
    assert any("from the entry theirs" in problem for problem in found.problems), found.problems


def test_a_new_bucket_that_nobody_takes_is_ours():
    found = judge([("theirs", "^s3://brain/.+"), ("indexing", "^s3://(a)/.+")], bucket("a"), bucket("b"))
    assert (found.problems, found.warnings) == ([], [])


def test_an_entry_before_ours_gets_nothing_that_ours_took():
    before = [("theirs", "^s3://a/.+"), ("indexing", "^s3://a/.+")]
    (problem,) = judge(before, bucket("a", prefix="blood/")).problems
    assert "would lose uploads such as s3://a/x to the entry theirs" in problem


@pytest.mark.parametrize(
    "later",
    [r"^s3://gen3-bucket/.+\.bam$", "[.]cram", "^s3://[^/]+/a", r"s3://gen3-.*/.*sample[0-9]+", r"(?i)\.VCF\.GZ$", r"/x\.y/|q$"],
)
def test_a_later_entry_that_takes_a_part_is_noticed(later):
    entries = [("indexing", "^s3://(gen3-bucket)/.+"), ("theirs", later)]
    (problem,) = judge(entries, bucket()).problems
    assert "JOBS[name=theirs]" in problem and "takes a part of the uploads to the bucket gen3-bucket" in problem and CONSENT in problem
    (warning,) = judge(entries, bucket(), may_replace=True).warnings
    assert warning in problem.replace(";", ".") or "takes a part" in warning


@pytest.mark.parametrize("later", ["^s3://gen3-bucket/user[.]yaml$", "^s3://brain/.+", "^s3://gen3-bucket/logs/", "%2F.*[.]bam$"])
def test_a_later_entry_that_takes_no_upload_of_ours_is_left_alone(later):
    found = judge([("indexing", "^s3://(gen3-bucket)/.+"), ("theirs", later)], bucket())
    assert (found.problems, found.warnings) == ([], [])


def test_minio_escapes_slashes():
    entries = [("indexing-minio", "^s3://(local)/.+"), ("theirs", "%2F.*[.]bam$")]
    (problem,) = judge(entries, bucket("local", "minio", "indexing-minio")).problems
    assert "%2F" in problem


def test_what_is_not_understood_is_tried_with_samples():
    found = judge([("indexing", "^s3://(a|b)/.+"), ("theirs", r"\bpL$")], bucket("a"))
    (problem,) = found.problems
    assert "no longer take the bucket b" in problem
    assert [r"samples alone, because of the pattern \bpL$" in each for each in found.warnings] == [True]


def test_too_many_cases_are_tried_with_samples(monkeypatch):
    monkeypatch.setattr(pattern_review, "MAX_CASES", 10)
    found = judge([("indexing", "^s3://(a|b)/.+")], bucket("a"))
    assert ["no longer take the bucket b" in each for each in found.problems] == [True]
    assert "samples alone" in found.warnings[0]


def test_what_go_does_not_decode_is_left_to_others():
    wrong = read_jobs({"JOBS": [{"name": ["x"], "pattern": "x"}, {"name": "y", "pattern": 3}]})
    assert review(wrong, [*wrong, *jobs(("indexing", "^s3://(a)/.+"))], [bucket("a")], False).problems == []


def test_a_hundred_buckets_beside_ten_entries_take_little_time():
    others = [(f"other-{number}", f"^s3://other-{number}/.+[.]bam$") for number in range(10)]
    buckets = [bucket(f"bucket-{number:03}", prefix="blood/" if number % 2 else "") for number in range(100)]
    started = time.monotonic()
    found = judge([*others, ("indexing", "^s3://(bucket-000|bucket-100)/.+")], *buckets)
    assert time.monotonic() - started < 20
    assert ["no longer take the bucket bucket-100" in each for each in found.problems] == [True]


@pytest.mark.parametrize(
    "scopes, pattern",
    [
        ([{"name": "a"}, {"name": "b.c"}], "^s3://(a|b[.]c)/.+"),
        ([{"name": "a", "prefix": "blood/"}], "^s3://(a/blood(/|%2F).+)"),
        ([{"name": "a", "suffix": ".bam"}], "^s3://(a/.*[.]bam$)"),
        ([{"name": "a"}, {"name": "b", "prefix": None, "suffix": ""}, {"name": "c", "prefix": "x", "suffix": "y"}],
         "^s3://((a|b)/.+|c/x.*y$)"),
    ],
)
def test_the_pattern_of_buckets(scopes, pattern):
    assert for_buckets(scopes) == pattern
    assert patterns.named_buckets(pattern) == sorted(each["name"] for each in scopes)
    assert patterns.is_anchored(pattern) and not set('\\"') & set(pattern)


@pytest.mark.parametrize("storage", ["s3", "minio"])
@pytest.mark.parametrize("prefix, suffix", [("my data/", ""), ("a+b/(1)/", ""), ("ä\"\\^$/", ""), ("", " [x]*.vcf"), ("50%/", "#1?")])
def test_prefix_and_suffix_are_as_in_the_events(storage, prefix, suffix):
    """The paths are escaped as S3 and MinIO do it, of which the lab's contracts have examples."""
    each = bucket(storage=storage, prefix=prefix, suffix=suffix)
    pattern = for_buckets([vars(each)])
    assert all(patterns.matches(pattern, path) and Automaton(pattern).matches(path) for path in each.sample_paths)
    other = bucket(storage=storage, prefix="x", suffix="x")
    assert not any(patterns.matches(pattern, path) for path in other.sample_paths)
    assert not set('\\"') & set(pattern)
