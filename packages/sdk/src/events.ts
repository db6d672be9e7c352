/** Events that functions publish and listen to, typed by what they say. */

/** An event as EventBridge, and a bus of Lambent, hands it to a function. */
export interface BusEvent<Detail = unknown> {
  readonly version: string;
  readonly id: string;
  readonly "detail-type": string;
  readonly source: string;
  readonly account: string;
  readonly time: string;
  readonly region: string;
  readonly resources: readonly string[];
  readonly detail: Detail;
  /** The replay that brought it again. */
  readonly "replay-name"?: string;
}

/** The same event as a CloudEvent 1.0 in JSON: `lambent trigger <function> --on <pattern> --format cloudevent`. */
export interface CloudEventJson<Data = unknown> {
  readonly specversion: "1.0";
  readonly id: string;
  readonly source: string;
  readonly type: string;
  readonly subject?: string;
  readonly time?: string;
  readonly datacontenttype?: string;
  readonly data?: Data;
}

/** An entry of PutEvents. */
export interface EventEntry {
  readonly Source: string;
  readonly DetailType: string;
  readonly Detail: string;
  readonly EventBusName?: string;
  readonly Resources?: string[];
}

/** A kind of event: what is published of it, and how a listener knows it. */
export interface EventType<Data> {
  readonly type: string;
  readonly source: string;
  /** The entry that publishes it: `client.send(new PutEventsCommand({ Entries: [placed.entry(order)] }))`. */
  entry(data: Data, options?: { readonly resources?: readonly string[] }): EventEntry;
  /** Whether an event that came is of this kind. */
  is(event: BusEvent): event is BusEvent<Data>;
}

/**
 * Names a kind of event once, for those who publish it and those who listen.
 *
 *     export const placed = eventType<{ order: number }>("order.placed", { source: "shop" });
 *
 * What a function publishes while it handles an event belongs to that event's chain, with any SDK and without further ado:
 * `lambent events <id> --chain` shows it.
 */
export function eventType<Data>(type: string, options: { readonly source: string; readonly bus?: string }): EventType<Data> {
  const { source, bus } = options;
  return {
    type,
    source,
    entry: (data, { resources } = {}) => ({
      Source: source,
      DetailType: type,
      Detail: JSON.stringify(data),
      ...(bus === undefined ? {} : { EventBusName: bus }),
      ...(resources ? { Resources: [...resources] } : {}),
    }),
    is: (event): event is BusEvent<Data> => event.source === source && event["detail-type"] === type,
  };
}

/** Which chain of events a call belongs to. */
export interface Chain {
  /** The event that is being handled. */
  readonly event: string;
  /** The first one of the chain. */
  readonly correlation: string;
}

/** The chain of the call that runs, from its trace header (`_X_AMZN_TRACE_ID`); undefined where nothing says it: on AWS, for example. */
export function chainOf(traceHeader: string | undefined): Chain | undefined {
  const [, event, correlation] = /(?:^|;)Event=([0-9a-f-]{36}):([0-9a-f-]{36})(?:;|$)/.exec(traceHeader ?? "") ?? [];
  return event === undefined || correlation === undefined ? undefined : { event, correlation };
}
