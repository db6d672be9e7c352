"""Drives confluent-kafka, and with it librdkafka: `confluent.py <command> <json>`; what it does is in ../clients.ts."""

import json
import sys
import threading

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaException, Producer, TopicPartition

command, options = sys.argv[1], json.loads(sys.argv[2])
servers = {"bootstrap.servers": options["broker"]}


def tell(line):
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


def record(message):
    headers = {name: value.decode() for name, value in message.headers() or []}
    key, value = message.key().decode(), message.value().decode()
    return {"partition": message.partition(), "offset": message.offset(), "key": key, "value": value, "client": headers.get("client")}


def produce():
    failures = []
    settings = {"enable.idempotence": True, "linger.ms": 20, "compression.type": options["codec"]}
    producer = Producer({**servers, **settings})
    for index in range(options["first"], options["first"] + options["count"]):
        producer.produce(
            options["topic"],
            key="k%d" % index,
            value="%s%d" % (options["value"], index),
            headers={"client": "confluent-kafka"},
            on_delivery=lambda error, _message: failures.append(str(error)) if error else None,
        )
    left = producer.flush(20)
    if failures or left:
        sys.exit("%d failed, %d left: %s" % (len(failures), left, failures[:1]))


def consumer_of(group, **more):
    return Consumer({**servers, "group.id": group, "auto.offset.reset": "earliest", "enable.auto.commit": False, **more})


def consume():
    consumer = consumer_of("nobody")
    partitions = consumer.list_topics(options["topic"], timeout=10).topics[options["topic"]].partitions
    consumer.assign([TopicPartition(options["topic"], partition, OFFSET_BEGINNING) for partition in sorted(partitions)])
    read(consumer, options["count"])
    consumer.close()


def read(consumer, count):
    seen = 0
    while seen < count:
        for message in consumer.consume(500, timeout=0.2):
            if message.error():
                raise KafkaException(message.error())
            tell(record(message))
            seen += 1


def member_of_group():
    assignor = "cooperative-sticky" if options["sharing"] == "cooperative" else "range"
    settings = {"session.timeout.ms": 2000, "heartbeat.interval.ms": 400, "partition.assignment.strategy": assignor}
    return consumer_of(options["group"], **settings)


def group():
    consumer = member_of_group()
    consumer.subscribe([options["topic"]])
    read(consumer, options["count"])
    consumer.commit(asynchronous=False)
    consumer.close()


def member():
    is_over = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), is_over.set()), daemon=True).start()
    held = set()

    def gained(_consumer, partitions):
        held.update(partition.partition for partition in partitions)
        tell({"assigned": sorted(held)})

    def lost(_consumer, partitions):
        held.difference_update(partition.partition for partition in partitions)
        tell({"assigned": sorted(held)})

    consumer = member_of_group()
    consumer.subscribe([options["topic"]], on_assign=gained, on_revoke=lost, on_lost=lost)
    while not is_over.is_set():
        found = [message for message in consumer.consume(500, timeout=0.1) if not message.error()]
        for message in found:
            tell(record(message))
        if found:
            try:
                consumer.commit(asynchronous=False)
            except KafkaException as error:  # A rebalance came between: whoever has the partition now reads it again.
                tell({"notCommitted": str(error)})
    consumer.close()


{"produce": produce, "consume": consume, "group": group, "member": member}[command]()
