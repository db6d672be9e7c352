"""S3 by boto3: buckets and their documents here, objects in `s3_objects`."""

import json

import s3_objects  # noqa: F401 - declares its cases
from s3_stage import NO_BUCKET, NOWHERE, bucket, filled, refused_as
from stage import aws, case, equal, run, stage

cloud, ground = aws["s3"], stage["s3"]


def members(answer):
    return {name: value for name, value in answer.items() if name != "ResponseMetadata"}


def document(name, put, get, says, absent=None, remove=None):
    """Declares the cases of a document that a bucket keeps; each of the calls is (operation, method, input)."""

    def call(client, asked, bucket_name):
        return getattr(client, asked[1])(Bucket=bucket_name, **asked[2])

    put, get, remove = ((each[0], each[1], each[2] if len(each) > 2 else {}) if each else None for each in (put, get, remove))

    def sets():
        call(cloud, put, bucket(f"{name}-set"))
        equal(members(call(ground, get, f"{name}-set")), says)

    def reads():
        call(ground, put, bucket(f"{name}-read"))
        equal(members(call(cloud, get, f"{name}-read")), says)

    def removes():
        call(ground, put, bucket(f"{name}-removed"))
        call(cloud, remove, f"{name}-removed")
        refused_as(absent, lambda: call(ground, get, f"{name}-removed"))

    def reads_nothing():
        # Some a bucket has from the start.
        call(ground, remove, bucket(f"{name}-without"))
        call(cloud, get, f"{name}-without")

    case(put[0], (lambda: call(cloud, put, NOWHERE), *NO_BUCKET))(sets)
    case(get[0], (reads_nothing, absent, 404) if absent else (lambda: call(cloud, get, NOWHERE), *NO_BUCKET))(reads)
    if remove:
        case(remove[0], (lambda: call(cloud, remove, NOWHERE), *NO_BUCKET))(removes)


CORS = {"CORSRules": [{"AllowedOrigins": ["*"], "AllowedMethods": ["GET"], "MaxAgeSeconds": 60}]}
OWNERSHIP = {"Rules": [{"ObjectOwnership": "BucketOwnerPreferred"}]}
BLOCK = {"BlockPublicAcls": True, "IgnorePublicAcls": False, "BlockPublicPolicy": True, "RestrictPublicBuckets": False}
RULES = [{"ID": "old", "Status": "Enabled", "Filter": {"Prefix": "logs/"}, "Expiration": {"Days": 30}}]
SITE = {"IndexDocument": {"Suffix": "index.html"}}
ENCRYPTION = {"Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}, "BucketKeyEnabled": False}]}
TAGS = {"TagSet": [{"Key": "team", "Value": "pictures"}]}
POLICY = {"Effect": "Allow", "Principal": {"AWS": "111111111111"}, "Action": "s3:GetObject"}

document(
    "versioning",
    ("PutBucketVersioning", "put_bucket_versioning", {"VersioningConfiguration": {"Status": "Enabled"}}),
    ("GetBucketVersioning", "get_bucket_versioning"),
    {"Status": "Enabled"},
)
document(
    "cors",
    ("PutBucketCors", "put_bucket_cors", {"CORSConfiguration": CORS}),
    ("GetBucketCors", "get_bucket_cors"),
    CORS,
    "NoSuchCORSConfiguration",
    ("DeleteBucketCors", "delete_bucket_cors"),
)
document(
    "tagging",
    ("PutBucketTagging", "put_bucket_tagging", {"Tagging": TAGS}),
    ("GetBucketTagging", "get_bucket_tagging"),
    TAGS,
    "NoSuchTagSet",
    ("DeleteBucketTagging", "delete_bucket_tagging"),
)
document(
    "ownership",
    ("PutBucketOwnershipControls", "put_bucket_ownership_controls", {"OwnershipControls": OWNERSHIP}),
    ("GetBucketOwnershipControls", "get_bucket_ownership_controls"),
    {"OwnershipControls": OWNERSHIP},
    "OwnershipControlsNotFoundError",
    ("DeleteBucketOwnershipControls", "delete_bucket_ownership_controls"),
)
document(
    "public-access",
    ("PutPublicAccessBlock", "put_public_access_block", {"PublicAccessBlockConfiguration": BLOCK}),
    ("GetPublicAccessBlock", "get_public_access_block"),
    {"PublicAccessBlockConfiguration": BLOCK},
    "NoSuchPublicAccessBlockConfiguration",
    ("DeletePublicAccessBlock", "delete_public_access_block"),
)
document(
    "lifecycle",
    ("PutBucketLifecycleConfiguration", "put_bucket_lifecycle_configuration", {"LifecycleConfiguration": {"Rules": RULES}}),
    ("GetBucketLifecycleConfiguration", "get_bucket_lifecycle_configuration"),
    {"Rules": RULES, "TransitionDefaultMinimumObjectSize": "all_storage_classes_128K"},
    "NoSuchLifecycleConfiguration",
    ("DeleteBucketLifecycle", "delete_bucket_lifecycle"),
)
document(
    "website",
    ("PutBucketWebsite", "put_bucket_website", {"WebsiteConfiguration": SITE}),
    ("GetBucketWebsite", "get_bucket_website"),
    SITE,
    "NoSuchWebsiteConfiguration",
    ("DeleteBucketWebsite", "delete_bucket_website"),
)
document(
    "encryption",
    ("PutBucketEncryption", "put_bucket_encryption", {"ServerSideEncryptionConfiguration": ENCRYPTION}),
    ("GetBucketEncryption", "get_bucket_encryption"),
    {"ServerSideEncryptionConfiguration": ENCRYPTION},
)
document(
    "logging",
    ("PutBucketLogging", "put_bucket_logging", {"BucketLoggingStatus": {}}),
    ("GetBucketLogging", "get_bucket_logging"),
    {},
)
document(
    "payment",
    ("PutBucketRequestPayment", "put_bucket_request_payment", {"RequestPaymentConfiguration": {"Payer": "Requester"}}),
    ("GetBucketRequestPayment", "get_bucket_request_payment"),
    {"Payer": "Requester"},
)
document(
    "acceleration",
    ("PutBucketAccelerateConfiguration", "put_bucket_accelerate_configuration", {"AccelerateConfiguration": {"Status": "Suspended"}}),
    ("GetBucketAccelerateConfiguration", "get_bucket_accelerate_configuration"),
    {"Status": "Suspended"},
)
document(
    "notification",
    (
        "PutBucketNotificationConfiguration",
        "put_bucket_notification_configuration",
        {"NotificationConfiguration": {"EventBridgeConfiguration": {}}},
    ),
    ("GetBucketNotificationConfiguration", "get_bucket_notification_configuration"),
    {"EventBridgeConfiguration": {}},
)


@case("CreateBucket", (lambda: cloud.create_bucket(Bucket="No_Bucket_here"), "InvalidBucketName", 400))
def create_bucket():
    equal(cloud.create_bucket(Bucket="made-by-boto3")["Location"], "/made-by-boto3")
    ground.get_waiter("bucket_exists").wait(Bucket="made-by-boto3")


@case("HeadBucket", (lambda: cloud.head_bucket(Bucket=NOWHERE), "404", 404))
def head_bucket():
    equal(cloud.head_bucket(Bucket=bucket("asked-for"))["BucketRegion"], "us-east-1")


@case("ListBuckets", (lambda: cloud.list_buckets(MaxBuckets=10_001), "InvalidArgument", 400))
def list_buckets():
    for name in ("among-1", "among-2"):
        bucket(name)
    pages = cloud.get_paginator("list_buckets").paginate(Prefix="among-", PaginationConfig={"PageSize": 1})
    equal([each["Name"] for page in pages for each in page["Buckets"]], ["among-1", "among-2"])


@case("GetBucketLocation", (lambda: cloud.get_bucket_location(Bucket=NOWHERE), *NO_BUCKET))
def get_bucket_location():
    equal(cloud.get_bucket_location(Bucket=bucket("at-home"))["LocationConstraint"], None)


@case("DeleteBucket", (lambda: cloud.delete_bucket(Bucket=filled("not-empty")), "BucketNotEmpty", 409))
def delete_bucket():
    cloud.delete_bucket(Bucket=bucket("removed-at-once"))
    ground.get_waiter("bucket_not_exists").wait(Bucket="removed-at-once", WaiterConfig={"Delay": 1, "MaxAttempts": 2})


def policy(name):
    return json.dumps({"Version": "2012-10-17", "Statement": [{**POLICY, "Resource": f"arn:aws:s3:::{name}/*"}]})


def with_policy(name):
    ground.put_bucket_policy(Bucket=bucket(name), Policy=policy(name))
    return name


@case(
    "PutBucketPolicy",
    (lambda: cloud.put_bucket_policy(Bucket=bucket("policy-refused"), Policy=policy("another-bucket")), "MalformedPolicy", 400),
)
def put_bucket_policy():
    cloud.put_bucket_policy(Bucket=bucket("policy-set"), Policy=policy("policy-set"))
    equal(ground.get_bucket_policy(Bucket="policy-set")["Policy"], policy("policy-set"))


@case("GetBucketPolicy", (lambda: cloud.get_bucket_policy(Bucket=bucket("policy-without")), "NoSuchBucketPolicy", 404))
def get_bucket_policy():
    equal(cloud.get_bucket_policy(Bucket=with_policy("policy-read"))["Policy"], policy("policy-read"))


@case("GetBucketPolicyStatus", (lambda: cloud.get_bucket_policy_status(Bucket=bucket("policy-without")), "NoSuchBucketPolicy", 404))
def get_bucket_policy_status():
    equal(cloud.get_bucket_policy_status(Bucket=with_policy("policy-status"))["PolicyStatus"], {"IsPublic": False})


@case("DeleteBucketPolicy", (lambda: cloud.delete_bucket_policy(Bucket=NOWHERE), *NO_BUCKET))
def delete_bucket_policy():
    cloud.delete_bucket_policy(Bucket=with_policy("policy-removed"))
    refused_as("NoSuchBucketPolicy", lambda: ground.get_bucket_policy(Bucket="policy-removed"))


@case("PutBucketAcl", (lambda: cloud.put_bucket_acl(Bucket=bucket("acl-set"), ACL="log-delivery-write"), "AccessControlListNotSupported", 400))
def put_bucket_acl():
    cloud.put_bucket_acl(Bucket=bucket("acl-set"), ACL="private")
    equal(len(ground.get_bucket_acl(Bucket="acl-set")["Grants"]), 1)


@case("GetBucketAcl", (lambda: cloud.get_bucket_acl(Bucket=NOWHERE), *NO_BUCKET))
def get_bucket_acl():
    (grant,) = cloud.get_bucket_acl(Bucket=bucket("acl-read"))["Grants"]
    equal((grant["Grantee"]["Type"], grant["Permission"]), ("CanonicalUser", "FULL_CONTROL"))


@case("DeleteBucketEncryption", (lambda: cloud.delete_bucket_encryption(Bucket=NOWHERE), *NO_BUCKET))
def delete_bucket_encryption():
    # A bucket always has one: removing it brings back the first.
    cloud.delete_bucket_encryption(Bucket=bucket("encryption-removed"))
    equal(ground.get_bucket_encryption(Bucket="encryption-removed")["ServerSideEncryptionConfiguration"], ENCRYPTION)


@case("DeleteBucketReplication", (lambda: cloud.delete_bucket_replication(Bucket=NOWHERE), *NO_BUCKET))
def delete_bucket_replication():
    cloud.delete_bucket_replication(Bucket=bucket("replication-removed"))


@case("ListBucketAnalyticsConfigurations", (lambda: cloud.list_bucket_analytics_configurations(Bucket=NOWHERE), *NO_BUCKET))
def list_bucket_analytics_configurations():
    equal(cloud.list_bucket_analytics_configurations(Bucket=bucket("without-reports"))["IsTruncated"], False)


@case("ListBucketInventoryConfigurations", (lambda: cloud.list_bucket_inventory_configurations(Bucket=NOWHERE), *NO_BUCKET))
def list_bucket_inventory_configurations():
    equal(cloud.list_bucket_inventory_configurations(Bucket=bucket("without-reports"))["IsTruncated"], False)


@case("ListBucketMetricsConfigurations", (lambda: cloud.list_bucket_metrics_configurations(Bucket=NOWHERE), *NO_BUCKET))
def list_bucket_metrics_configurations():
    equal(cloud.list_bucket_metrics_configurations(Bucket=bucket("without-reports"))["IsTruncated"], False)


@case(
    "ListBucketIntelligentTieringConfigurations",
    (lambda: cloud.list_bucket_intelligent_tiering_configurations(Bucket=NOWHERE), *NO_BUCKET),
)
def list_bucket_intelligent_tiering_configurations():
    equal(cloud.list_bucket_intelligent_tiering_configurations(Bucket=bucket("without-reports"))["IsTruncated"], False)


if __name__ == "__main__":
    run("s3")
