"""Prints every request that boto3 makes for S3's operations, one JSON object a line; sends none.

Values are made from botocore's model: once all members, once the required ones.
"""

import base64
import datetime
import json
import re
import sys

import boto3
from botocore.awsrequest import AWSResponse
from botocore.config import Config

# What boto3 makes itself of other members, or of the body.
MADE_BY_CLIENT = re.compile(r"^(Checksum(?!Mode$|Type$|Algorithm$)|ContentMD5$|ContentLength$|SSECustomer|CopySourceSSECustomer)")
# One member at a time, which the model does not say.
UNIONS = ("AnalyticsFilter", "MetricsFilter", "ObjectEncryption")
TEXT = 'a b+c/d&<e>"ü水😀'
HEADER_TEXT = "text with, comma"
WHEN = datetime.datetime(2026, 11, 21, 20, 15, 30, tzinfo=datetime.timezone.utc)


def value(shape, name, only_required, depth=0):
    kind = shape.type_name
    if kind == "structure":
        return structure(shape, only_required, depth + 1)
    if kind == "list":
        return [value(shape.member, name, only_required, depth + 1) for _ in range(1 if depth > 4 else 2)]
    if kind == "map":
        return {"one": HEADER_TEXT, "two": "2"}
    if kind == "boolean":
        return True
    if kind in ("integer", "long", "float", "double"):
        return 7
    if kind == "timestamp":
        return WHEN
    if kind == "blob":
        return b"\x00\xffbody"
    if name == "CopySource" or name == "RenameSource":
        return "a-bucket/some%20key"
    if name == "KMSKeyArn":
        return "arn:aws:kms:us-east-1:123456789012:key/0123"
    if name == "ChecksumAlgorithm":
        return "CRC32"
    return shape.enum[0] if shape.enum else TEXT


def structure(shape, only_required, depth=0):
    if depth > 20:
        return {}
    union = shape.name in UNIONS
    values = {}
    for name, member in list(shape.members.items())[: 1 if union else None]:
        if MADE_BY_CLIENT.match(name) or (only_required and name not in shape.required_members and not union):
            continue
        outside = member.serialization.get("location")
        if name == "Bucket" and outside == "uri":
            values[name] = "a-bucket"
        elif outside in ("header", "headers") and member.type_name == "string" and not member.enum and "Source" not in name:
            values[name] = HEADER_TEXT.replace(" ", "-").replace(",", "")
        elif member.serialization.get("eventpayload") or getattr(member, "is_eventstream_type", False):
            continue
        else:
            values[name] = value(member, name, only_required, depth)
    return values


def plain(given):
    if isinstance(given, bytes):
        return {"bytes": base64.b64encode(given).decode()}
    if isinstance(given, datetime.datetime):
        return {"date": given.isoformat()}
    if isinstance(given, dict):
        return {name: plain(entry) for name, entry in given.items()}
    return [plain(entry) for entry in given] if isinstance(given, list) else given


def main():
    config = Config(s3={"addressing_style": "path"}, signature_version="s3v4", retries={"max_attempts": 0}, inject_host_prefix=False)
    client = boto3.client(
        "s3",
        region_name="us-east-1",
        endpoint_url="http://127.0.0.1:4566",
        aws_access_key_id="AKIDEXAMPLE",
        aws_secret_access_key="secret",
        config=config,
    )
    sent = []

    def before_send(request, **_):
        sent.append(request)
        return AWSResponse(request.url, 500, {}, None)

    client.meta.events.register("before-send.s3", before_send)
    names = {client.meta.method_to_api_mapping[method]: method for method in client.meta.method_to_api_mapping}
    for operation in sorted(names):
        model = client.meta.service_model.operation_model(operation)
        for only_required in (False, True):
            given = structure(model.input_shape, only_required) if model.input_shape else {}
            expected = plain(given)
            sent.clear()
            try:
                getattr(client, names[operation])(**given)
            except Exception as error:
                if not sent:
                    raise SystemExit(f"{operation}: {error!r}")
            request = sent[0]
            body = request.body or b""
            if hasattr(body, "read"):
                body = body.read()
            if isinstance(body, str):
                body = body.encode()
            told = {
                "operation": operation,
                "given": expected,
                "method": request.method,
                "url": request.url,
                "headers": {name: text.decode() if isinstance(text, bytes) else text for name, text in request.headers.items()},
                "body": base64.b64encode(body).decode(),
            }
            sys.stdout.write(json.dumps(told) + "\n")


main()
