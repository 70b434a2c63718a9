"""What reindex.yml tells at its end: the counts of all batches, and the keys that need a person."""

from ansible_collections.gen3.uploads.plugins.module_utils._reindex.report import lines

NONE = {name: [] for name in ("stuck", "without_record", "without_guid", "damaged", "replaced", "odd_names", "stale_status")}
COUNTS = {**dict.fromkeys(NONE, 0), "seen": 10, "sent": 0, "status_set": 0}
FIRST = {**NONE, "counts": {**COUNTS, "stuck": 2, "sent": 2, "without_record": 3, "stale_status": 1, "status_set": 1},
         "stuck": ["a", "b"], "without_record": ["x", "y"], "stale_status": ["s"]}
LAST = {**NONE, "counts": {**COUNTS, "seen": 3, "without_record": 1, "damaged": 1}, "without_record": ["z"], "damaged": ["d"]}


def test_the_batches_are_added_up_and_their_keys_named():
    found = lines([FIRST, LAST], True)
    assert found[:3] == ["13 objects, 2 stuck, 2 events sent", "indexed with another _upload_status than uploaded: 1, set: 1 s",
                         "without a record, so that nothing can be done: 4 x y z"]
    assert found[3] == "without a GUID in the key: 0" and found[4].endswith("uploaded anew: 1 d") and len(found) == 7


def test_a_status_that_nobody_looked_at_is_no_zero():
    assert lines([LAST], False)[1] == "the metadata service was not looked at, since uploads_metadata_url is not set"
