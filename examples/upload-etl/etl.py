"""A CSV of hourly weather is uploaded: writes its rows as JSON lines, and the means of its days and months, into another bucket."""

import codecs
import csv
import json
import math
import os
import pathlib
import statistics
import tempfile
import urllib.parse
from collections import defaultdict
from datetime import datetime

import boto3

s3 = boto3.client("s3")
MEASURES = ("pressure", "temperature", "wind")


def lambda_handler(event, context):
    return [load(record["s3"]["bucket"]["name"], record["s3"]["object"]["key"]) for record in event["Records"]]


def load(bucket, told_key):
    # Keys come as forms write them: a blank is a plus.
    key = urllib.parse.unquote_plus(told_key)
    name = pathlib.PurePosixPath(key).stem
    days, months, rejected = defaultdict(list), defaultdict(list), []
    # The file may be larger than the memory: rows go from one stream into the other.
    with tempfile.TemporaryFile() as rows:
        for number, row in enumerate(rows_of(bucket, key), start=2):
            try:
                hour = hour_of(row)
            except ValueError as reason:
                rejected.append({"line": number, "reason": str(reason)})
                continue
            rows.write(line(hour))
            days[hour["time"][:10]].append(hour)
            months[hour["time"][:7]].append(hour)
        rows.seek(0)
        s3.upload_fileobj(rows, os.environ["RESULTS"], f"rows/{name}.jsonl")
    put(f"rejected/{name}.jsonl", rejected)
    put(f"daily/{name}.jsonl", [means("day", *each) for each in sorted(days.items())])
    # The last one: whoever sees it can rely on the others.
    put(f"monthly/{name}.jsonl", [means("month", *each) for each in sorted(months.items())])
    counts = {"rows": sum(map(len, days.values())), "days": len(days), "months": len(months), "rejected": len(rejected)}
    print(f"{key}: {json.dumps(counts)}")
    return counts


def rows_of(bucket, key):
    lines = codecs.getreader("utf-8-sig")(s3.get_object(Bucket=bucket, Key=key)["Body"])
    reader = csv.DictReader(lines)
    missing = {"date", *MEASURES} - set(reader.fieldnames or ())
    if missing:
        raise ValueError(f"{key} has no column {', '.join(sorted(missing))}")
    return reader


def hour_of(row):
    """A row as it is kept; raises ValueError for one that cannot be read."""
    time = datetime.fromisoformat(row["date"] or "")
    return {"time": time.isoformat(), **{measure: figure(measure, row[measure]) for measure in MEASURES}}


def figure(measure, text):
    value = float(text) if text else math.nan
    if not math.isfinite(value):
        raise ValueError(f"{measure} is {text!r}")
    return value


def means(span, value, hours):
    return {span: value, "hours": len(hours), **{each: round(statistics.fmean(hour[each] for hour in hours), 2) for each in MEASURES}}


def line(value):
    return json.dumps(value).encode() + b"\n"


def put(key, values):
    s3.put_object(Bucket=os.environ["RESULTS"], Key=key, Body=b"".join(map(line, values)), ContentType="application/jsonl")
