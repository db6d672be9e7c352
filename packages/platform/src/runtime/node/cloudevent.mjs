// Handler style `cloudevent`: (cloudEvent) => value. Takes CloudEvents 1.0 over HTTP (binary and structured), as JSON, or wraps any other event.
import { isHttpEvent, toRequest } from "./http-event.mjs";

function dataOf(contentType, body) {
  if (body.length === 0) return undefined;
  if (!/^application\/([\w.+-]+\+)?json/i.test(contentType ?? "application/json")) return body;
  return JSON.parse(body.toString("utf8"));
}

function fromHttp(event) {
  const { headers, body } = toRequest(event);
  const contentType = headers["content-type"];
  if (/^application\/cloudevents\+json/i.test(contentType ?? "")) return JSON.parse(body.toString("utf8"));
  const cloudEvent = {};
  for (const [name, value] of Object.entries(headers)) if (name.startsWith("ce-")) cloudEvent[name.slice(3)] = value;
  if (contentType) cloudEvent.datacontenttype = contentType;
  cloudEvent.data = dataOf(contentType, body);
  return cloudEvent;
}

function fromEvent(event, context) {
  if (typeof event?.specversion === "string" && typeof event.type === "string") return event;
  return {
    specversion: "1.0",
    id: context.awsRequestId,
    source: context.invokedFunctionArn,
    type: "lambent.invocation",
    time: new Date().toISOString(),
    datacontenttype: "application/json",
    data: event,
  };
}

/** A handler `(event, context)` around one that takes a CloudEvent. Over HTTP no value answers 204. */
export function cloudEventHandler(handle) {
  return async (event, context) => {
    if (!isHttpEvent(event)) return await handle(fromEvent(event, context));
    let cloudEvent;
    try {
      cloudEvent = fromHttp(event);
    } catch (error) {
      return { statusCode: 400, headers: { "content-type": "text/plain" }, body: `The request holds no CloudEvent: ${error.message}` };
    }
    if (typeof cloudEvent.type !== "string" || typeof cloudEvent.source !== "string") {
      return {
        statusCode: 400,
        headers: { "content-type": "text/plain" },
        body: "The request holds no CloudEvent: `type` and `source` are required.",
      };
    }
    const value = await handle(cloudEvent);
    if (value === undefined) return { statusCode: 204 };
    return { statusCode: 200, headers: { "content-type": "application/json" }, body: JSON.stringify(value) };
  };
}
