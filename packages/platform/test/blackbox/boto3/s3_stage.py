"""What the cases of S3 share: buckets of their own, and what is in them."""

from botocore.exceptions import ClientError
from stage import equal, stage

ground = stage["s3"]
NOWHERE = "nobody-made-this-bucket"
NO_BUCKET = ("NoSuchBucket", 404)
NO_KEY = ("NoSuchKey", 404)
NO_UPLOAD = ("NoSuchUpload", 404)
HELLO = '"5d41402abc4b2a76b9719d911017c592"'


def bucket(name, versioned=False, open_to_public=False):
    ground.create_bucket(Bucket=name)
    if versioned:
        ground.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    if open_to_public:
        ground.delete_public_access_block(Bucket=name)
    return name


def filled(name, *keys, body=b"hello", **more):
    bucket(name, **more)
    for key in keys or ("k",):
        ground.put_object(Bucket=name, Key=key, Body=body)
    return name


def text(name, key, **more):
    return ground.get_object(Bucket=name, Key=key, **more)["Body"].read().decode()


def refused_as(name, attempt):
    try:
        attempt()
    except ClientError as error:
        return equal(error.response["Error"]["Code"], name)
    raise AssertionError(f"not refused as {name}")
