"""Writes numbers into a topic, one record each: a day of hourly temperatures, or the numbers that it is given.

    python3 examples/rolling-window/produce.py [--broker 127.0.0.1:9092] [number …]
"""

import argparse
import json
import pathlib
import sys
from datetime import datetime, timedelta, timezone

TOPIC = "example_numbers"
DAY = pathlib.Path(__file__).parent.parent / "sliding-average" / "event.json"
FIRST_HOUR = datetime(2010, 1, 1, 1, tzinfo=timezone.utc)


def main():
    options = argparse.ArgumentParser(description="Writes numbers into a topic of Kafka.")
    options.add_argument("--broker", default="127.0.0.1:9092")
    options.add_argument("numbers", type=float, nargs="*")
    given = options.parse_args()
    numbers = given.numbers or json.loads(DAY.read_text())["data"]
    producer = connect(given.broker)
    for hour, number in enumerate(numbers):
        time = FIRST_HOUR + timedelta(hours=hour)
        producer.send(TOPIC, key=b"sfo", value=json.dumps(number).encode(), timestamp_ms=int(time.timestamp() * 1000))
    # Behind it all of them are on the disk.
    producer.flush()
    print(f"{len(numbers)} numbers in {TOPIC}")


def connect(broker):
    try:
        from kafka import KafkaProducer
        from kafka.errors import KafkaError
    except ImportError:
        sys.exit(
            "This needs the package kafka-python, which this Python does not have:\n"
            "  python3 -m venv ~/kafka && ~/kafka/bin/pip install kafka-python\n"
            "and then ~/kafka/bin/python instead of python3. Any other client of Kafka will do as well:\n"
            f"  seq 24 | kcat -P -b {broker} -t {TOPIC} -k sfo"
        )
    try:
        return KafkaProducer(bootstrap_servers=broker, acks="all")
    except KafkaError:
        sys.exit(f"Nobody answers at {broker}. `npm start` says where Kafka's clients come in; --broker says it to this program.")


if __name__ == "__main__":
    main()
