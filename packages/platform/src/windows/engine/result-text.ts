import type { Pane } from "@lambent/sdk/windows";

/**
 * A pane as its sinks get it: JSON with the aggregates beside key and window, so that a handler reads `event["mean"]`, or `event["data"]` of a rolling
 * window. Written piece by piece: there may be one for each record, and this takes half as long as an object that is made to be written.
 */
export function resultText(
  { key, window, timing, index, final, count, values, data, replaces }: Pane,
  anomaly: object | undefined,
): string {
  let text = `{"key":${JSON.stringify(key)},"window":{"start":${window.start},"end":${window.end}},"timing":"${timing}","index":${index},"final":${final}`;
  if (values["count"] === undefined) text += `,"count":${count}`;
  for (const name in values) {
    const value = values[name];
    text += `,${JSON.stringify(name)}:${typeof value === "number" ? value : JSON.stringify(value)}`;
  }
  if (data) text += `,"data":${JSON.stringify(data)}`;
  if (replaces) text += `,"replaces":${JSON.stringify(replaces)}`;
  if (anomaly) text += `,"anomaly":${JSON.stringify(anomaly)}`;
  return `${text}}`;
}
