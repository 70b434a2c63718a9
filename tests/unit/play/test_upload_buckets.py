"""What the playbooks' list of buckets becomes for each role."""

from ansible_collections.gen3.uploads.plugins.filter.upload_buckets import minio_upload_buckets, s3_upload_buckets

BUCKETS = [
    {"name": "one", "storage": "s3", "account_id": "123456789012", "prefix": "in/"},
    {"name": "two", "storage": "minio", "prefix": "in/", "suffix": ".bam", "versioning": "enabled", "quota": "1TiB"},
    {"name": "three", "storage": "minio", "suffix": None},
]


def test_aws_messaging_gets_those_on_s3_without_what_it_does_not_know():
    assert s3_upload_buckets(BUCKETS) == [{"name": "one", "account_id": "123456789012", "prefix": "in/"}]


def test_minio_gets_its_own_each_with_a_rule():
    assert minio_upload_buckets(BUCKETS, "webhook/GEN3") == [
        {"name": "two", "versioning": "enabled", "quota": "1TiB",
         "notifications": [{"target": "webhook/GEN3", "prefix": "in/", "suffix": ".bam"}]},
        {"name": "three", "notifications": [{"target": "webhook/GEN3"}]}]
