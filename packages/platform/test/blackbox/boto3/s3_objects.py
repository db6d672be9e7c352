"""Objects of S3 and uploads in parts, by boto3."""

from stage import aws, case, equal, stage
from s3_stage import HELLO, NO_BUCKET, NO_KEY, NO_UPLOAD, NOWHERE, bucket, filled, refused_as, text

cloud, ground = aws["s3"], stage["s3"]


@case("GetObject", (lambda: cloud.get_object(Bucket=bucket("got"), Key="missing"), *NO_KEY))
def get_object():
    ground.put_object(Bucket=bucket("got"), Key="a/b", Body=b"hello", ContentType="text/plain", Metadata={"by": "Ada"})
    got = cloud.get_object(Bucket="got", Key="a/b", Range="bytes=1-3")
    equal((got["Body"].read(), got["ContentType"], got["Metadata"], got["ContentRange"]), (b"ell", "text/plain", {"by": "Ada"}, "bytes 1-3/5"))


@case("HeadObject", (lambda: cloud.head_object(Bucket=bucket("asked"), Key="missing"), "404", 404))
def head_object():
    found = cloud.head_object(Bucket=filled("asked"), Key="k")
    equal((found["ContentLength"], found["ContentType"], found["ETag"]), (5, "binary/octet-stream", HELLO))


@case("GetObjectAttributes", (lambda: cloud.get_object_attributes(Bucket=bucket("attributes"), Key="x", ObjectAttributes=["ETag"]), *NO_KEY))
def get_object_attributes():
    ground.put_object(Bucket=bucket("attributes"), Key="k", Body=b"hello", ChecksumAlgorithm="SHA1")
    found = cloud.get_object_attributes(Bucket="attributes", Key="k", ObjectAttributes=["ETag", "Checksum", "ObjectSize"])
    equal((found["ETag"], found["Checksum"]["ChecksumSHA1"], found["ObjectSize"]), (HELLO.strip('"'), "qvTGHdzF6KLavt4PO0gs2a6pQ00=", 5))


@case("ListObjects", (lambda: cloud.list_objects(Bucket=NOWHERE), *NO_BUCKET))
def list_objects():
    found = cloud.list_objects(Bucket=filled("listed-as-once", "a/1", "a/2", "b"), Delimiter="/")
    equal(([each["Key"] for each in found["Contents"]], found["CommonPrefixes"]), (["b"], [{"Prefix": "a/"}]))


@case("ListObjectsV2", (lambda: cloud.list_objects_v2(Bucket=NOWHERE), *NO_BUCKET))
def list_objects_v2():
    name = filled("listed", "a b/1", "b", "c", "d")
    pages = list(cloud.get_paginator("list_objects_v2").paginate(Bucket=name, PaginationConfig={"PageSize": 3}))
    equal([[each["Key"] for each in page["Contents"]] for page in pages], [["a b/1", "b", "c"], ["d"]])


@case("ListObjectVersions", (lambda: cloud.list_object_versions(Bucket=NOWHERE), *NO_BUCKET))
def list_object_versions():
    filled("versions", versioned=True)
    ground.delete_object(Bucket="versions", Key="k")
    found = cloud.list_object_versions(Bucket="versions")
    equal(([each["IsLatest"] for each in found["Versions"]], [each["IsLatest"] for each in found["DeleteMarkers"]]), ([False], [True]))


@case("PutObject", (lambda: cloud.put_object(Bucket=NOWHERE, Key="k", Body=b"x"), *NO_BUCKET))
def put_object():
    stored = cloud.put_object(Bucket=bucket("stored"), Key="folder/hello world.txt", Body=b"hello", Metadata={"by": "Ada"}, Tagging="kind=greeting")
    equal((stored["ETag"], stored["ChecksumCRC32"], stored["ChecksumType"]), (HELLO, "NhCmhg==", "FULL_OBJECT"))
    equal(text("stored", "folder/hello world.txt"), "hello")


@case("CopyObject", (lambda: cloud.copy_object(Bucket=bucket("copied"), Key="to", CopySource="copied/missing"), *NO_KEY))
def copy_object():
    filled("copied", "from a b")
    equal(cloud.copy_object(Bucket="copied", Key="to", CopySource={"Bucket": "copied", "Key": "from a b"})["CopyObjectResult"]["ETag"], HELLO)
    equal(text("copied", "to"), "hello")


@case("DeleteObject", (lambda: cloud.delete_object(Bucket=NOWHERE, Key="k"), *NO_BUCKET))
def delete_object():
    marker = cloud.delete_object(Bucket=filled("removed", versioned=True), Key="k")
    equal(marker["DeleteMarker"], True)
    refused_as("NoSuchKey", lambda: text("removed", "k"))
    cloud.delete_object(Bucket="removed", Key="k", VersionId=marker["VersionId"])
    equal(text("removed", "k"), "hello")


@case("DeleteObjects", (lambda: cloud.delete_objects(Bucket=bucket("removed-many"), Delete={"Objects": []}), "MalformedXML", 400))
def delete_objects():
    filled("removed-many", "a", "b & c", "d")
    answer = cloud.delete_objects(Bucket="removed-many", Delete={"Objects": [{"Key": "a"}, {"Key": "b & c"}]})
    equal(sorted(each["Key"] for each in answer["Deleted"]), ["a", "b & c"])
    equal([each["Key"] for each in ground.list_objects_v2(Bucket="removed-many")["Contents"]], ["d"])


TWICE = {"TagSet": [{"Key": "kind", "Value": "cat"}, {"Key": "kind", "Value": "dog"}]}
CAT = {"TagSet": [{"Key": "kind", "Value": "cat"}]}


@case("PutObjectTagging", (lambda: cloud.put_object_tagging(Bucket=filled("tagged"), Key="k", Tagging=TWICE), "InvalidTag", 400))
def put_object_tagging():
    cloud.put_object_tagging(Bucket=filled("tagged"), Key="k", Tagging=CAT)
    equal(ground.get_object_tagging(Bucket="tagged", Key="k")["TagSet"], CAT["TagSet"])


@case("GetObjectTagging", (lambda: cloud.get_object_tagging(Bucket=bucket("tags-read"), Key="missing"), *NO_KEY))
def get_object_tagging():
    ground.put_object(Bucket=bucket("tags-read"), Key="k", Tagging="kind=cat&of=Ada%20L")
    equal(cloud.get_object_tagging(Bucket="tags-read", Key="k")["TagSet"], [{"Key": "kind", "Value": "cat"}, {"Key": "of", "Value": "Ada L"}])


@case("DeleteObjectTagging", (lambda: cloud.delete_object_tagging(Bucket=bucket("tags-removed"), Key="missing"), *NO_KEY))
def delete_object_tagging():
    ground.put_object(Bucket=bucket("tags-removed"), Key="k", Tagging="kind=cat")
    cloud.delete_object_tagging(Bucket="tags-removed", Key="k")
    equal(ground.get_object_tagging(Bucket="tags-removed", Key="k")["TagSet"], [])


@case(
    "PutObjectAcl",
    (lambda: cloud.put_object_acl(Bucket=filled("acl-off", open_to_public=True), Key="k", ACL="public-read"), "AccessControlListNotSupported", 400),
)
def put_object_acl():
    name = filled("acl-on", open_to_public=True)
    ground.put_bucket_ownership_controls(Bucket=name, OwnershipControls={"Rules": [{"ObjectOwnership": "ObjectWriter"}]})
    cloud.put_object_acl(Bucket=name, Key="k", ACL="public-read")
    equal(sorted(each["Permission"] for each in ground.get_object_acl(Bucket=name, Key="k")["Grants"]), ["FULL_CONTROL", "READ"])


@case("GetObjectAcl", (lambda: cloud.get_object_acl(Bucket=bucket("acl-read"), Key="missing"), *NO_KEY))
def get_object_acl():
    equal(cloud.get_object_acl(Bucket=filled("object-acl-read"), Key="k")["Grants"][0]["Permission"], "FULL_CONTROL")


def begun(name):
    """An upload of a bucket of its own that waits for its parts."""
    upload = ground.create_multipart_upload(Bucket=bucket(name), Key="k")["UploadId"]
    return {"Bucket": name, "Key": "k", "UploadId": upload}


def unknown(name):
    return {"Bucket": bucket(name), "Key": "k", "UploadId": "nobody-began-this-upload"}


def with_part(name):
    upload = begun(name)
    return upload, [{"PartNumber": 1, "ETag": ground.upload_part(**upload, PartNumber=1, Body=b"part")["ETag"]}]


@case("CreateMultipartUpload", (lambda: cloud.create_multipart_upload(Bucket=NOWHERE, Key="k"), *NO_BUCKET))
def create_multipart_upload():
    upload = cloud.create_multipart_upload(Bucket=bucket("begun"), Key="k", ContentType="text/plain")["UploadId"]
    equal([each["UploadId"] for each in ground.list_multipart_uploads(Bucket="begun")["Uploads"]], [upload])


@case("UploadPart", (lambda: cloud.upload_part(**unknown("part"), PartNumber=1, Body=b"x"), *NO_UPLOAD))
def upload_part():
    equal(cloud.upload_part(**begun("part"), PartNumber=1, Body=b"hello")["ETag"], HELLO)


@case("UploadPartCopy", (lambda: cloud.upload_part_copy(**begun("part-copied"), PartNumber=1, CopySource="part-copied/missing"), *NO_KEY))
def upload_part_copy():
    filled("part-copied", "from", body=b"hello, world")
    copied = cloud.upload_part_copy(**begun("part-copied"), PartNumber=1, CopySource="part-copied/from", CopySourceRange="bytes=0-4")
    equal(copied["CopyPartResult"]["ETag"], HELLO)


def with_a_part_that_never_came():
    upload, _ = with_part("completed-wrongly")
    cloud.complete_multipart_upload(**upload, MultipartUpload={"Parts": [{"PartNumber": 2, "ETag": "never"}]})


@case("CompleteMultipartUpload", (with_a_part_that_never_came, "InvalidPart", 400))
def complete_multipart_upload():
    upload, parts = with_part("completed")
    assert cloud.complete_multipart_upload(**upload, MultipartUpload={"Parts": parts})["ETag"].endswith('-1"')
    equal(text("completed", "k"), "part")


@case("AbortMultipartUpload", (lambda: cloud.abort_multipart_upload(**unknown("aborted")), *NO_UPLOAD))
def abort_multipart_upload():
    upload, _ = with_part("aborted")
    cloud.abort_multipart_upload(**upload)
    refused_as("NoSuchUpload", lambda: ground.list_parts(**upload))


@case("ListParts", (lambda: cloud.list_parts(**unknown("parts")), *NO_UPLOAD))
def list_parts():
    upload, _ = with_part("parts")
    equal([(each["PartNumber"], each["Size"]) for each in cloud.list_parts(**upload)["Parts"]], [(1, 4)])


@case("ListMultipartUploads", (lambda: cloud.list_multipart_uploads(Bucket=NOWHERE), *NO_BUCKET))
def list_multipart_uploads():
    upload = begun("uploads-under-way")
    equal([each["UploadId"] for each in cloud.list_multipart_uploads(Bucket=upload["Bucket"])["Uploads"]], [upload["UploadId"]])
