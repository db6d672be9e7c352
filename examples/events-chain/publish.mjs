import { EventBridge } from "@aws-sdk/client-eventbridge";

const bus = new EventBridge({});

/** Puts an event on the bus and returns its id. That it belongs to the event being handled is known without a word about it here. */
export async function publish(type, data) {
  const entry = { EventBusName: "example-accounts", Source: "example.accounts", DetailType: type, Detail: JSON.stringify(data) };
  const { Entries } = await bus.putEvents({ Entries: [entry] });
  const [{ EventId, ErrorMessage }] = Entries;
  if (!EventId) throw new Error(`${type} was not taken: ${ErrorMessage}`);
  return EventId;
}
