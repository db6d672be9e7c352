"""Kinesis by boto3, which speaks HTTP/1.1 for every call, also where records are pushed."""

import json

from stage import ACCOUNT, OFTEN, aws, case, equal, run, stage

cloud, ground = aws["kinesis"], stage["kinesis"]
NOT_THERE = ("ResourceNotFoundException", 400)
ARGUMENT = ("InvalidArgumentException", 400)
VALIDATION = ("ValidationException", 400)
HALF = str(2**127)
UNIFORM = "UNIFORM_SCALING"


def arn(name):
    return f"arn:aws:kinesis:us-east-1:{ACCOUNT}:stream/{name}"


def shard(number):
    return f"shardId-{number:012}"


def made(name, shards=1):
    ground.create_stream(StreamName=name, ShardCount=shards)
    ground.get_waiter("stream_exists").wait(StreamName=name, WaiterConfig=OFTEN)
    return name


def put(name, *texts):
    return [ground.put_record(StreamName=name, PartitionKey="a", Data=text)["SequenceNumber"] for text in texts]


def iterator(name, number=0):
    return ground.get_shard_iterator(StreamName=name, ShardId=shard(number), ShardIteratorType="TRIM_HORIZON")["ShardIterator"]


def texts(name, number=0):
    return [record["Data"].decode() for record in ground.get_records(ShardIterator=iterator(name, number))["Records"]]


def summary(name):
    return ground.describe_stream_summary(StreamName=name)["StreamDescriptionSummary"]


def consumer(name):
    return ground.register_stream_consumer(StreamARN=arn(made(name)), ConsumerName="c")["Consumer"]["ConsumerARN"]


def open_shards(name):
    return [each["ShardId"] for each in ground.list_shards(StreamName=name, ShardFilter={"Type": "AT_LATEST"})["Shards"]]


def tags(name):
    return {tag["Key"]: tag["Value"] for tag in ground.list_tags_for_stream(StreamName=name)["Tags"]}


def policy(resource):
    principal = {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}
    statement = {"Effect": "Allow", "Principal": principal, "Action": "kinesis:PutRecord", "Resource": resource}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


@case("CreateStream", (lambda: cloud.create_stream(StreamName="created", ShardCount=1), "ResourceInUseException", 400))
def create_stream():
    cloud.create_stream(StreamName="created", ShardCount=2, Tags={"a": "1"})
    equal((summary("created")["OpenShardCount"], tags("created")), (2, {"a": "1"}))


@case("DeleteStream", (lambda: cloud.delete_stream(StreamName="nowhere"), *NOT_THERE))
def delete_stream():
    cloud.delete_stream(StreamName=made("deleted"))
    ground.get_waiter("stream_not_exists").wait(StreamName="deleted", WaiterConfig=OFTEN)


@case("DescribeStream", (lambda: cloud.describe_stream(StreamName="nowhere"), *NOT_THERE))
def describe_stream():
    described = cloud.describe_stream(StreamName=made("described", 2))["StreamDescription"]
    equal([each["ShardId"] for each in described["Shards"]], [shard(0), shard(1)])


@case("DescribeStreamSummary", (lambda: cloud.describe_stream_summary(StreamName="nowhere"), *NOT_THERE))
def describe_stream_summary():
    shown = cloud.describe_stream_summary(StreamName=made("summarised"))["StreamDescriptionSummary"]
    equal((shown["StreamStatus"], shown["RetentionPeriodHours"], shown["MaxRecordSizeInKiB"]), ("ACTIVE", 24, 1024))


@case("ListStreams", (lambda: cloud.list_streams(NextToken="none"), *ARGUMENT))
def list_streams():
    made("aaa-listed")
    made("aab-listed")
    page = cloud.list_streams(Limit=1)
    equal((page["StreamNames"], page["HasMoreStreams"]), (["aaa-listed"], True))
    equal(ground.list_streams(Limit=1, NextToken=page["NextToken"])["StreamNames"], ["aab-listed"])


@case("DescribeLimits")
def describe_limits():
    assert cloud.describe_limits()["OpenShardCount"] > 0


@case("DescribeAccountSettings")
def describe_account_settings():
    equal(cloud.describe_account_settings()["MinimumThroughputBillingCommitment"]["Status"], "DISABLED")


def commit(status):
    return cloud.update_account_settings(MinimumThroughputBillingCommitment={"Status": status})


@case("UpdateAccountSettings", (lambda: commit("ENABLED"), "NotImplemented", 501))
def update_account_settings():
    commit("DISABLED")


@case("PutRecord", (lambda: cloud.put_record(StreamName="nowhere", PartitionKey="a", Data=b""), *NOT_THERE))
def put_record():
    cloud.put_record(StreamName=made("put"), PartitionKey="a", Data=b"hello")
    equal(texts("put"), ["hello"])


@case("PutRecords", (lambda: cloud.put_records(StreamName="put-many", Records=[{"PartitionKey": "a", "Data": bytes(2**20)}]), *VALIDATION))
def put_records():
    made("put-many", 2)
    answer = cloud.put_records(StreamName="put-many", Records=[{"PartitionKey": key, "Data": key} for key in "ab"])
    equal((answer["FailedRecordCount"], texts("put-many", 0), texts("put-many", 1)), (0, ["a"], ["b"]))


def iterator_at_no_time():
    cloud.get_shard_iterator(StreamName="iterated", ShardId=shard(0), ShardIteratorType="AT_TIMESTAMP")


@case("GetShardIterator", (iterator_at_no_time, *ARGUMENT))
def get_shard_iterator():
    _, second = put(made("iterated"), "one", "two")
    at = {"ShardIteratorType": "AT_SEQUENCE_NUMBER", "StartingSequenceNumber": second}
    found = cloud.get_shard_iterator(StreamName="iterated", ShardId=shard(0), **at)["ShardIterator"]
    equal([record["Data"] for record in ground.get_records(ShardIterator=found)["Records"]], [b"two"])


@case("GetRecords", (lambda: cloud.get_records(ShardIterator="none"), *ARGUMENT))
def get_records():
    numbers = put(made("got"), "one", "two")
    answer = cloud.get_records(ShardIterator=iterator("got"), Limit=10)
    equal(([record["SequenceNumber"] for record in answer["Records"]], answer["MillisBehindLatest"]), (numbers, 0))


@case("ListShards", (lambda: cloud.list_shards(StreamName="nowhere"), *NOT_THERE))
def list_shards():
    page = cloud.list_shards(StreamName=made("sharded", 3), MaxResults=2)
    equal((len(page["Shards"]), len(ground.list_shards(NextToken=page["NextToken"])["Shards"])), (2, 1))


def split(name):
    cloud.split_shard(StreamName=name, ShardToSplit=shard(0), NewStartingHashKey=HALF)


@case("SplitShard", (lambda: split("split"), *ARGUMENT))
def split_shard():
    split(made("split"))
    equal(open_shards("split"), [shard(1), shard(2)])


def merge(name):
    cloud.merge_shards(StreamName=name, ShardToMerge=shard(0), AdjacentShardToMerge=shard(1))


@case("MergeShards", (lambda: merge("merged"), *ARGUMENT))
def merge_shards():
    merge(made("merged", 2))
    equal(open_shards("merged"), [shard(2)])


def rescale(target):
    cloud.update_shard_count(StreamName="rescaled", TargetShardCount=target, ScalingType=UNIFORM)


@case("UpdateShardCount", (lambda: rescale(100), *ARGUMENT))
def update_shard_count():
    made("rescaled", 2)
    rescale(4)
    equal(len(open_shards("rescaled")), 4)


def lengthen(name, hours):
    cloud.increase_stream_retention_period(StreamName=name, RetentionPeriodHours=hours)


@case("IncreaseStreamRetentionPeriod", (lambda: lengthen("kept-longer", 24), *ARGUMENT))
def increase_stream_retention_period():
    lengthen(made("kept-longer"), 48)
    equal(summary("kept-longer")["RetentionPeriodHours"], 48)


def shorten(hours):
    cloud.decrease_stream_retention_period(StreamName="kept-shorter", RetentionPeriodHours=hours)


@case("DecreaseStreamRetentionPeriod", (lambda: shorten(1), *ARGUMENT))
def decrease_stream_retention_period():
    ground.increase_stream_retention_period(StreamName=made("kept-shorter"), RetentionPeriodHours=72)
    shorten(48)
    equal(summary("kept-shorter")["RetentionPeriodHours"], 48)


def remake(name):
    cloud.update_stream_mode(StreamARN=arn(name), StreamModeDetails={"StreamMode": "ON_DEMAND"})


@case("UpdateStreamMode", (lambda: remake("nowhere"), *NOT_THERE))
def update_stream_mode():
    remake(made("remade"))
    equal(summary("remade")["StreamModeDetails"]["StreamMode"], "ON_DEMAND")


@case("UpdateMaxRecordSize", (lambda: cloud.update_max_record_size(StreamARN=arn("nowhere"), MaxRecordSizeInKiB=2048), *NOT_THERE))
def update_max_record_size():
    cloud.update_max_record_size(StreamARN=arn(made("larger")), MaxRecordSizeInKiB=2048)
    ground.put_record(StreamName="larger", PartitionKey="a", Data=bytes(2_000_000))


@case("UpdateStreamWarmThroughput", (lambda: cloud.update_stream_warm_throughput(StreamName="nowhere", WarmThroughputMiBps=5), *NOT_THERE))
def update_stream_warm_throughput():
    ground.create_stream(StreamName="warm", StreamModeDetails={"StreamMode": "ON_DEMAND"})
    cloud.update_stream_warm_throughput(StreamName="warm", WarmThroughputMiBps=5)
    equal(summary("warm")["WarmThroughput"]["TargetMiBps"], 5)


KEY = {"EncryptionType": "KMS", "KeyId": "alias/aws/kinesis"}


@case("StartStreamEncryption", (lambda: cloud.start_stream_encryption(StreamName="nowhere", **KEY), *NOT_THERE))
def start_stream_encryption():
    cloud.start_stream_encryption(StreamName=made("encrypted"), **KEY)
    equal(summary("encrypted")["KeyId"], KEY["KeyId"])


@case("StopStreamEncryption", (lambda: cloud.stop_stream_encryption(StreamName="nowhere", **KEY), *NOT_THERE))
def stop_stream_encryption():
    ground.start_stream_encryption(StreamName=made("decrypted"), **KEY)
    cloud.stop_stream_encryption(StreamName="decrypted", **KEY)
    equal(summary("decrypted")["EncryptionType"], "NONE")


@case("EnableEnhancedMonitoring", (lambda: cloud.enable_enhanced_monitoring(StreamName="nowhere", ShardLevelMetrics=["ALL"]), *NOT_THERE))
def enable_enhanced_monitoring():
    cloud.enable_enhanced_monitoring(StreamName=made("watched"), ShardLevelMetrics=["IncomingBytes"])
    equal(summary("watched")["EnhancedMonitoring"], [{"ShardLevelMetrics": ["IncomingBytes"]}])


@case("DisableEnhancedMonitoring", (lambda: cloud.disable_enhanced_monitoring(StreamName="nowhere", ShardLevelMetrics=["ALL"]), *NOT_THERE))
def disable_enhanced_monitoring():
    ground.enable_enhanced_monitoring(StreamName=made("unwatched"), ShardLevelMetrics=["ALL"])
    cloud.disable_enhanced_monitoring(StreamName="unwatched", ShardLevelMetrics=["ALL"])
    equal(summary("unwatched")["EnhancedMonitoring"], [{"ShardLevelMetrics": []}])


@case("AddTagsToStream", (lambda: cloud.add_tags_to_stream(StreamName="nowhere", Tags={"a": "1"}), *NOT_THERE))
def add_tags_to_stream():
    cloud.add_tags_to_stream(StreamName=made("tagged"), Tags={"a": "1"})
    equal(tags("tagged"), {"a": "1"})


@case("RemoveTagsFromStream", (lambda: cloud.remove_tags_from_stream(StreamName="nowhere", TagKeys=["a"]), *NOT_THERE))
def remove_tags_from_stream():
    ground.add_tags_to_stream(StreamName=made("untagged"), Tags={"a": "1", "b": "2"})
    cloud.remove_tags_from_stream(StreamName="untagged", TagKeys=["a"])
    equal(tags("untagged"), {"b": "2"})


@case("ListTagsForStream", (lambda: cloud.list_tags_for_stream(StreamName="nowhere"), *NOT_THERE))
def list_tags_for_stream():
    ground.add_tags_to_stream(StreamName=made("tags-shown"), Tags={"a": "1", "b": "2"})
    answer = cloud.list_tags_for_stream(StreamName="tags-shown", Limit=1)
    equal((answer["Tags"], answer["HasMoreTags"]), ([{"Key": "a", "Value": "1"}], True))


@case("TagResource", (lambda: cloud.tag_resource(ResourceARN=arn("nowhere"), Tags={"a": "1"}), *NOT_THERE))
def tag_resource():
    cloud.tag_resource(ResourceARN=arn(made("tagged-by-arn")), Tags={"a": "1"})
    equal(tags("tagged-by-arn"), {"a": "1"})


@case("UntagResource", (lambda: cloud.untag_resource(ResourceARN=arn("nowhere"), TagKeys=["a"]), *NOT_THERE))
def untag_resource():
    ground.add_tags_to_stream(StreamName=made("untagged-by-arn"), Tags={"a": "1"})
    cloud.untag_resource(ResourceARN=arn("untagged-by-arn"), TagKeys=["a"])
    equal(tags("untagged-by-arn"), {})


@case("ListTagsForResource", (lambda: cloud.list_tags_for_resource(ResourceARN=arn("nowhere")), *NOT_THERE))
def list_tags_for_resource():
    tagged = consumer("tagged-consumer")
    ground.tag_resource(ResourceARN=tagged, Tags={"a": "1"})
    equal(cloud.list_tags_for_resource(ResourceARN=tagged)["Tags"], [{"Key": "a", "Value": "1"}])


@case("PutResourcePolicy", (lambda: cloud.put_resource_policy(ResourceARN=arn("ruled"), Policy="{}"), *ARGUMENT))
def put_resource_policy():
    ruled = arn(made("ruled"))
    cloud.put_resource_policy(ResourceARN=ruled, Policy=policy(ruled))
    equal(ground.get_resource_policy(ResourceARN=ruled)["Policy"], policy(ruled))


@case("GetResourcePolicy", (lambda: cloud.get_resource_policy(ResourceARN=arn("nowhere")), *NOT_THERE))
def get_resource_policy():
    ruled = arn(made("rules-shown"))
    ground.put_resource_policy(ResourceARN=ruled, Policy=policy(ruled))
    equal(cloud.get_resource_policy(ResourceARN=ruled)["Policy"], policy(ruled))


@case("DeleteResourcePolicy", (lambda: cloud.delete_resource_policy(ResourceARN=arn("unruled")), *NOT_THERE))
def delete_resource_policy():
    ruled = arn(made("unruled"))
    ground.put_resource_policy(ResourceARN=ruled, Policy=policy(ruled))
    cloud.delete_resource_policy(ResourceARN=ruled)


def register(name):
    return cloud.register_stream_consumer(StreamARN=arn("fanned"), ConsumerName=name)


@case("RegisterStreamConsumer", (lambda: register("one"), "ResourceInUseException", 400))
def register_stream_consumer():
    made("fanned")
    equal(register("one")["Consumer"]["ConsumerStatus"], "ACTIVE")


@case("DeregisterStreamConsumer", (lambda: cloud.deregister_stream_consumer(StreamARN=arn("unfanned"), ConsumerName="c"), *NOT_THERE))
def deregister_stream_consumer():
    cloud.deregister_stream_consumer(ConsumerARN=consumer("unfanned"))
    equal(summary("unfanned")["ConsumerCount"], 0)


@case("DescribeStreamConsumer", (lambda: cloud.describe_stream_consumer(StreamARN=arn("fan-shown"), ConsumerName="d"), *NOT_THERE))
def describe_stream_consumer():
    shown = cloud.describe_stream_consumer(ConsumerARN=consumer("fan-shown"))["ConsumerDescription"]
    equal((shown["ConsumerName"], shown["StreamARN"]), ("c", arn("fan-shown")))


@case("ListStreamConsumers", (lambda: cloud.list_stream_consumers(StreamARN=arn("nowhere")), *NOT_THERE))
def list_stream_consumers():
    consumer("fans-listed")
    equal([each["ConsumerName"] for each in cloud.list_stream_consumers(StreamARN=arn("fans-listed"))["Consumers"]], ["c"])


def subscribe(consumer_arn):
    return cloud.subscribe_to_shard(ConsumerARN=consumer_arn, ShardId=shard(0), StartingPosition={"Type": "TRIM_HORIZON"})


@case("SubscribeToShard", (lambda: subscribe(f"{arn('pushed')}/consumer/nobody:1"), *NOT_THERE))
def subscribe_to_shard():
    consumer_arn = consumer("pushed")
    put("pushed", "one", "two")
    # A shard that takes no more is a subscription that ends.
    ground.split_shard(StreamName="pushed", ShardToSplit=shard(0), NewStartingHashKey=HALF)
    events = [event["SubscribeToShardEvent"] for event in subscribe(consumer_arn)["EventStream"]]
    equal([record["Data"] for event in events for record in event["Records"]], [b"one", b"two"])
    equal([child["ShardId"] for child in events[-1]["ChildShards"]], [shard(1), shard(2)])


run("kinesis")
