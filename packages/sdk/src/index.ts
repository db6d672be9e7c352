/**
 * What a function written for Lambent, or for AWS Lambda, is typed with, and small helpers for events. Without dependencies: importing
 * types adds nothing to a bundle, a helper a few lines.
 */
export type { Handler, Context, ClientContext } from "./handler.ts";
export type { HttpEvent, HttpResult, HttpStructuredResult } from "./http.ts";
export type { WebHandler, WebRequest, WebResponse, WebNext } from "./web.ts";
export type { HttpResponseMetadata, LambentStreaming, ResponseStream, StreamHandler } from "./streaming.ts";
export { chainOf, eventType } from "./events.ts";
export type { BusEvent, Chain, CloudEventJson, EventEntry, EventType } from "./events.ts";
export type { JsonValue, Pane, WindowBounds, WindowDefinition } from "./windows/index.ts";
