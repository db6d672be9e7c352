/** Drives @platformatic/kafka: `platformatic.ts <command> <json>`; what it does is in ../clients.ts. */
import { once } from "node:events";
import { Consumer, type Message, MessagesStreamModes, Producer, stringDeserializers, stringSerializers } from "@platformatic/kafka";
import { unreachable } from "../../../src/base/index.ts";
import { driverOptions, messagesOf, tell } from "./options.ts";

const { command, options } = driverOptions();
const base = { clientId: "platformatic", bootstrapBrokers: [options.broker] };

function tellRecord({ partition, offset, key, value, headers }: Message<string, string, string, string>): void {
  tell({ partition, offset: Number(offset), key, value, client: headers.get("client") });
}

async function produce(): Promise<void> {
  const producer = new Producer({ ...base, serializers: stringSerializers, autocreateTopics: true });
  const messages = messagesOf(options, "platformatic").map((message) => ({ ...message, topic: options.topic }));
  await producer.send({ messages, acks: -1, compression: options.codec });
  await producer.close();
}

function memberOf(groupId: string): Consumer<string, string, string, string> {
  const timing = { sessionTimeout: 2_000, heartbeatInterval: 400, rebalanceTimeout: 10_000, maxWaitTime: 100 };
  const protocols = options.sharing === "cooperative" ? [{ name: "cooperative-sticky", version: 3 }] : [{ name: "roundrobin", version: 1 }];
  return new Consumer({ ...base, ...timing, groupId, protocols, deserializers: stringDeserializers, autocommit: false });
}

type Mode = (typeof MessagesStreamModes)[keyof typeof MessagesStreamModes];

async function readSome(group: string, mode: Mode, commits: boolean): Promise<void> {
  const consumer = memberOf(group);
  const stream = await consumer.consume({ topics: [options.topic], mode, fallbackMode: MessagesStreamModes.EARLIEST });
  let seen = 0;
  for await (const message of stream) {
    tellRecord(message);
    if (commits) await message.commit();
    if (++seen >= options.count) break;
  }
  await consumer.close(true);
}

async function member(): Promise<void> {
  const consumer = memberOf(options.group);
  const tellAssigned = (): void => tell({ assigned: (consumer.assignments ?? []).flatMap(({ partitions }) => partitions) });
  consumer.on("consumer:group:join", tellAssigned);
  const mode = MessagesStreamModes.COMMITTED;
  const stream = await consumer.consume({ topics: [options.topic], mode, fallbackMode: MessagesStreamModes.EARLIEST });
  process.stdin.resume();
  void once(process.stdin, "end").then(() => consumer.close(true));
  for await (const message of stream) {
    tellRecord(message);
    await message.commit();
  }
}

switch (command) {
  case "produce":
    await produce();
    break;
  case "consume":
    await readSome(`nobody-${process.pid}`, MessagesStreamModes.EARLIEST, false);
    break;
  case "group":
    await readSome(options.group, MessagesStreamModes.COMMITTED, true);
    break;
  case "member":
    await member();
    break;
  default:
    unreachable(command);
}
