/**
 * What a function written for Lambent, or for AWS Lambda, is typed with. Types and nothing else: importing this
 * package adds nothing to a bundle.
 */
export type { Handler, Context, ClientContext } from "./handler.ts";
export type { HttpEvent, HttpResult, HttpStructuredResult } from "./http.ts";
export type { WebHandler, WebRequest, WebResponse, WebNext } from "./web.ts";
export type { HttpResponseMetadata, LambentStreaming, ResponseStream, StreamHandler } from "./streaming.ts";
