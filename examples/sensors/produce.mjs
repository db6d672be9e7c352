/**
 * Ten sensors replay two weeks of hourly temperatures into a topic: the same weather, each in a place of its own. For three
 * hours somebody holds a warm hand around one of them.
 *
 *     node examples/sensors/produce.mjs [127.0.0.1:9092]
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ProduceAcks, Producer, stringSerializers } from "@platformatic/kafka";

const TOPIC = "example_readings";
/** Records of one send. */
const TOGETHER = 1_000;

const [broker = "127.0.0.1:9092"] = process.argv.slice(2);
const hours = readFileSync(join(import.meta.dirname, "seattle-hourly-january.csv"), "utf8")
  .trim()
  .split("\n")
  .slice(1)
  .map((line) => line.split(","));
/** In the sun, under the roof, at the water: degrees beside those of the weather. */
const devices = [0, 1.5, -0.8, 2.2, 0.4, -1.6, 3.1, 0.9, -0.3, 1.1].map((offset, at) => ({ name: `sensor-${at}`, offset }));
const hand = { device: "sensor-6", from: "2010-01-09T14", until: "2010-01-09T17", celsius: 31 };

function celsiusOf({ name, offset }, time, weather) {
  if (name === hand.device && time >= hand.from && time < hand.until) return hand.celsius;
  return Math.round((weather + offset) * 10) / 10;
}

const messages = hours.flatMap(([time, weather]) =>
  devices.map((device) => ({
    topic: TOPIC,
    key: device.name,
    value: JSON.stringify({ device: device.name, time: `${time}Z`, celsius: celsiusOf(device, time, Number(weather)) }),
    timestamp: BigInt(Date.parse(`${time}Z`)),
  })),
);

const producer = new Producer({
  clientId: "sensors",
  bootstrapBrokers: [broker],
  serializers: stringSerializers,
  autocreateTopics: true,
  retries: 2,
});
try {
  for (let from = 0; from < messages.length; from += TOGETHER)
    await producer.send({ messages: messages.slice(from, from + TOGETHER), acks: ProduceAcks.ALL });
  console.log(`${messages.length} readings of ${devices.length} sensors in ${TOPIC}`);
} catch (error) {
  console.error(`${error.message}\nIs this where Kafka's clients come in? \`npm start\` says where: node produce.mjs <address>`);
  process.exitCode = 1;
} finally {
  await producer.close();
}
