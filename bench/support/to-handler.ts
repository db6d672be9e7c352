import { Connection } from "./connection.ts";
import { median, type Sample } from "./pair.ts";
import type { BenchServer } from "./server.ts";

/**
 * One event at a time, each after the one before has reached its handler. The function keeps the numbers of its events with the moment each
 * was entered, and gives them out when it is called with `{"read": true}`.
 */
export async function oneAtATime(
  server: BenchServer,
  functionName: string,
  asked: { readonly events: number; readonly status: number; readonly request: (n: number) => Buffer },
): Promise<Sample> {
  const connection = await Connection.open(server.port);
  const toHandler: number[] = [];
  const toAnswer: number[] = [];
  for (let n = 0; n < asked.events; n++) {
    const request = asked.request(n);
    const sentAt = performance.timeOrigin + performance.now();
    const { status, ms } = await connection.send(request);
    if (status !== asked.status) throw new TypeError(`an event was answered ${status}`);
    toAnswer.push(ms);
    toHandler.push((await enteredAt(server, functionName, n)) - sentAt);
  }
  connection.close();
  return { value: median(toHandler), details: { "p50 ms to the answer": median(toAnswer), "max ms": Math.max(...toHandler) } };
}

/** When the handler was entered with this event. */
export async function enteredAt(server: BenchServer, functionName: string, n: number): Promise<number> {
  for (;;) {
    const { body } = await server.call("lambda", "POST", `/2015-03-31/functions/${functionName}/invocations`, '{"read":true}');
    const found = (JSON.parse(body) as [number, number][]).find(([number]) => number === n);
    if (found) return found[1];
  }
}
