"""Bodies by boto3: its own transfers in parts, its checksums, its paginators."""

import base64
import hashlib
import io
import os
import zlib

from boto3.s3.transfer import TransferConfig
from s3_stage import bucket, refused_as
from stage import aws, case, equal, run

s3 = aws["s3"]
MIB = 1024 * 1024
TEXT = b"bytes and bytes " * 2_000
TABLES = {}


def big_endian(number, size):
    return base64.b64encode(number.to_bytes(size, "big")).decode()


def reflected(data, polynomial, bits):
    """A CRC with reflected bits, by the book: these two boto3 computes only with a library of C's."""
    table = TABLES.get(polynomial)
    if table is None:
        table = TABLES[polynomial] = []
        for byte in range(256):
            for _ in range(8):
                byte = (byte >> 1) ^ (polynomial if byte & 1 else 0)
            table.append(byte)
    crc = (1 << bits) - 1
    for byte in data:
        crc = table[(crc ^ byte) & 0xFF] ^ (crc >> 8)
    return crc ^ ((1 << bits) - 1)


DIGESTS = {
    "CRC32": lambda data: big_endian(zlib.crc32(data), 4),
    "CRC32C": lambda data: big_endian(reflected(data, 0x82F63B78, 32), 4),
    "CRC64NVME": lambda data: big_endian(reflected(data, 0x9A6C9329AC4BC9B5, 64), 8),
    "SHA1": lambda data: base64.b64encode(hashlib.sha1(data).digest()).decode(),
    "SHA256": lambda data: base64.b64encode(hashlib.sha256(data).digest()).decode(),
}


@case("upload_fileobj and download_fileobj in small parts")
def transfers():
    config = TransferConfig(multipart_threshold=5 * MIB, multipart_chunksize=5 * MIB, max_concurrency=4)
    for size in (0, 1, 5 * MIB - 1, 17 * MIB + 3):
        data = os.urandom(size)
        s3.upload_fileobj(io.BytesIO(data), bucket("transfers"), "k", ExtraArgs={"Metadata": {"size": str(size)}}, Config=config)
        found = io.BytesIO()
        s3.download_fileobj("transfers", "k", found, Config=config)
        assert found.getvalue() == data, f"{size} bytes came back as {len(found.getvalue())} others"
        head = s3.head_object(Bucket="transfers", Key="k", ChecksumMode="ENABLED")
        equal((head["Metadata"], head["ETag"].endswith('-4"')), ({"size": str(size)}, size > 16 * MIB))
        equal(head["ChecksumType"], "FULL_OBJECT" if size < 16 * MIB else "COMPOSITE" if "-" in head["ChecksumCRC32"] else "FULL_OBJECT")


@case("every checksum is the one that was computed here, and another is refused")
def checksums():
    bucket("digests")
    for algorithm, digest in DIGESTS.items():
        name = f"Checksum{algorithm}"
        stored = s3.put_object(Bucket="digests", Key=algorithm, Body=TEXT, **{name: digest(TEXT)})
        equal((stored[name], stored["ChecksumType"]), (digest(TEXT), "FULL_OBJECT"))
        equal(s3.head_object(Bucket="digests", Key=algorithm, ChecksumMode="ENABLED")[name], digest(TEXT))
        refused_as("BadDigest", lambda: s3.put_object(Bucket="digests", Key="wrong", Body=TEXT, **{name: digest(b"other")}))
    equal(s3.list_objects_v2(Bucket="digests")["KeyCount"], len(DIGESTS))


def in_parts(algorithm, kind, parts):
    upload = s3.create_multipart_upload(Bucket=bucket("digests"), Key="parts", ChecksumAlgorithm=algorithm, ChecksumType=kind)
    upload = {name: upload[name] for name in ("Bucket", "Key", "UploadId")}
    name, done = f"Checksum{algorithm}", []
    for number, part in enumerate(parts, 1):
        sent = s3.upload_part(**upload, PartNumber=number, Body=part, **{name: DIGESTS[algorithm](part)})
        done.append({"PartNumber": number, "ETag": sent["ETag"], name: sent[name]})
    answer = s3.complete_multipart_upload(**upload, MultipartUpload={"Parts": done}, ChecksumType=kind)
    return answer[name], answer["ChecksumType"]


@case("the checksum of parts is that of the whole, or that of their checksums")
def checksums_of_parts():
    parts = (os.urandom(5 * MIB), b"and a little more")
    equal(in_parts("CRC32", "FULL_OBJECT", parts), (DIGESTS["CRC32"](b"".join(parts)), "FULL_OBJECT"))
    # By the book five megabytes take too long; one part alone may be as small as it likes.
    for algorithm in ("CRC32C", "CRC64NVME"):
        equal(in_parts(algorithm, "FULL_OBJECT", parts[1:]), (DIGESTS[algorithm](parts[1]), "FULL_OBJECT"))
    for algorithm in ("CRC32", "SHA1", "SHA256"):
        of_parts = b"".join(base64.b64decode(DIGESTS[algorithm](part)) for part in parts)
        equal(in_parts(algorithm, "COMPOSITE", parts), (f"{DIGESTS[algorithm](of_parts)}-2", "COMPOSITE"))


@case("2,500 objects page by page, with names that XML cannot hold")
def pages():
    pages = list(s3.get_paginator("list_objects_v2").paginate(Bucket="many", PaginationConfig={"PageSize": 700}))
    equal([page["KeyCount"] for page in pages], [700, 700, 700, 400])
    keys = [each["Key"] for page in pages for each in page["Contents"]]
    equal((len(set(keys)), keys, keys[0]), (2_500, sorted(keys), "\x01 first"))
    once = s3.get_paginator("list_objects").paginate(Bucket="many", Delimiter="/", PaginationConfig={"PageSize": 7})
    equal([each["Prefix"] for page in once for each in page.get("CommonPrefixes", [])], [f"folder {n}/" for n in range(10)])


if __name__ == "__main__":
    run("s3")
