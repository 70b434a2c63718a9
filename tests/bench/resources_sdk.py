"""One thing with the SDK: ``resources_sdk.py URL USER bucket|rule|target NAME``; the password is in MINIO_SECRET_KEY."""

import json
import os
import sys
from urllib.parse import urlsplit

from minio import Minio, MinioAdmin
from minio.credentials import StaticProvider
from minio.notificationconfig import NotificationConfig, QueueConfig
from minio.versioningconfig import ENABLED, VersioningConfig

url, user, what, name = sys.argv[1:]
login = {"endpoint": urlsplit(url).netloc, "credentials": StaticProvider(user, os.environ["MINIO_SECRET_KEY"]), "secure": False}
changed = False
if what == "bucket":
    client = Minio(**login)
    if not client.bucket_exists(bucket_name=name):
        client.make_bucket(bucket_name=name)
        changed = True
    if client.get_bucket_versioning(bucket_name=name).status != ENABLED:
        client.set_bucket_versioning(bucket_name=name, config=VersioningConfig(ENABLED))
        changed = True
elif what == "rule":
    client = Minio(**login)
    events = [f"s3:ObjectCreated:{event}" for event in ("Put", "Post", "Copy", "CompleteMultipartUpload")]
    rule = QueueConfig(queue="arn:minio:sqs:us-east-1:T0:webhook", events=events, config_id="gen3-uploads")
    found = client.get_bucket_notification(bucket_name=name).queue_config_list
    if [(each.queue, sorted(each.events)) for each in found] != [(rule.queue, sorted(rule.events))]:
        client.set_bucket_notification(bucket_name=name, config=NotificationConfig(queue_config_list=[rule]))
        changed = True
else:
    live = json.loads(MinioAdmin(**login).info())["sqsARN"]
    assert f"arn:minio:sqs:us-east-1:{name}:webhook" in live, live
print("changed" if changed else "ok")
