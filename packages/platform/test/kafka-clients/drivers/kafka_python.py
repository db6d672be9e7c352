"""Drives kafka-python: `kafka_python.py <command> <json>`; what it does is in ../clients.ts."""

import json
import sys
import threading

from kafka import ConsumerRebalanceListener, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.coordinator.assignors.range import RangePartitionAssignor

command, options = sys.argv[1], json.loads(sys.argv[2])
servers = {"bootstrap_servers": options["broker"]}


def tell(line):
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


def record(message):
    headers = {name: value.decode() for name, value in message.headers or []}
    value = message.value.decode()
    return {"partition": message.partition, "offset": message.offset, "key": message.key.decode(), "value": value, "client": headers.get("client")}


def produce():
    codec = options["codec"]
    producer = KafkaProducer(**servers, acks="all", linger_ms=20, compression_type=None if codec == "none" else codec)
    sent = []
    for index in range(options["first"], options["first"] + options["count"]):
        headers = [("client", b"kafka-python")]
        sent.append(producer.send(options["topic"], key=b"k%d" % index, value=options["value"].encode() + b"%d" % index, headers=headers))
    for future in sent:
        future.get(timeout=20)
    producer.close()


def consume():
    consumer = KafkaConsumer(**servers, auto_offset_reset="earliest", enable_auto_commit=False, group_id=None)
    partitions = [TopicPartition(options["topic"], partition) for partition in sorted(consumer.partitions_for_topic(options["topic"]))]
    consumer.assign(partitions)
    consumer.seek_to_beginning(*partitions)
    read(consumer, options["count"])
    consumer.close()


def assignors():
    if options["sharing"] != "cooperative":
        return [RangePartitionAssignor]
    from kafka.coordinator.assignors.cooperative_sticky import CooperativeStickyAssignor  # Older versions have none.

    return [CooperativeStickyAssignor]


def member_of_group():
    return KafkaConsumer(
        **servers,
        group_id=options["group"],
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        session_timeout_ms=2000,
        heartbeat_interval_ms=400,
        partition_assignment_strategy=assignors(),
    )


def read(consumer, count):
    seen = 0
    while seen < count:
        for messages in consumer.poll(timeout_ms=200).values():
            for message in messages:
                tell(record(message))
                seen += 1


def group():
    consumer = member_of_group()
    consumer.subscribe([options["topic"]])
    read(consumer, options["count"])
    consumer.commit()
    consumer.close()


class Listener(ConsumerRebalanceListener):
    held = set()

    def on_partitions_revoked(self, revoked):
        self.held.difference_update(partition.partition for partition in revoked)
        tell({"assigned": sorted(self.held)})

    def on_partitions_assigned(self, assigned):
        self.held.update(partition.partition for partition in assigned)
        tell({"assigned": sorted(self.held)})


def member():
    is_over = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), is_over.set()), daemon=True).start()
    consumer = member_of_group()
    consumer.subscribe([options["topic"]], listener=Listener())
    while not is_over.is_set():
        found = [message for messages in consumer.poll(timeout_ms=100).values() for message in messages]
        for message in found:
            tell(record(message))
        if found:
            try:
                consumer.commit()
            except Exception as error:  # A rebalance came between: whoever has the partition now reads it again.
                tell({"notCommitted": type(error).__name__})
    consumer.close()


{"produce": produce, "consume": consume, "group": group, "member": member}[command]()
