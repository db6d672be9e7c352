"""Links and forms as boto3 signs them, told as one document of JSON: what is expired was signed at an earlier time."""

import datetime
import json
from unittest import mock

import botocore.auth
from botocore.config import Config
from stage import client

NAME = "linked"


def urls(version, expires=60):
    s3 = client("s3", config=Config(signature_version=version, s3={"addressing_style": "path"}))
    content = {"ContentType": "text/plain"}
    return {
        "get": s3.generate_presigned_url("get_object", {"Bucket": NAME, "Key": "猫 a+b.txt", "ResponseContentType": "text/x-cat"}, expires),
        "put": s3.generate_presigned_url("put_object", {"Bucket": NAME, "Key": f"put by {version}", **content}, expires),
        "other": s3.generate_presigned_url("get_object", {"Bucket": NAME, "Key": "missing"}, expires),
    }


def form(version, expires=60, **more):
    s3 = client("s3", config=Config(signature_version=version, s3={"addressing_style": "path"}))
    conditions = [["content-length-range", 1, 1_000], ["starts-with", "$Content-Type", "text/"], {"success_action_status": "201"}]
    fields = {"success_action_status": "201"}
    return s3.generate_presigned_post(NAME, f"by {version}/${{filename}}", fields, conditions, expires, **more)


def earlier():
    """Ten minutes ago."""
    then = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(minutes=10)
    return mock.patch("botocore.auth.get_current_datetime", lambda *_: then.replace(tzinfo=None))


with earlier():
    expired = {"s3v4": urls("s3v4")}
expired["s3"] = urls("s3", -600)
print(
    json.dumps(
        {
            "urls": {version: urls(version) for version in ("s3", "s3v4")},
            "expired": expired,
            "forms": {version: form(version) for version in ("s3", "s3v4")},
            "expiredForm": form("s3v4", -600),
        }
    )
)
