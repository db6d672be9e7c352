/** An HTTP call to a function's address: payload format 2.0. */
export interface HttpEvent {
  readonly version: "2.0";
  readonly routeKey: string;
  /** The path as sent, still encoded. */
  readonly rawPath: string;
  /** Without the question mark; empty when there is none. */
  readonly rawQueryString: string;
  readonly cookies?: readonly string[];
  /** Lower-case names; repeated ones joined by a comma. */
  readonly headers: Readonly<Record<string, string>>;
  /** Repeated keys joined by a comma; absent without a query. */
  readonly queryStringParameters?: Readonly<Record<string, string>>;
  readonly requestContext: HttpRequestContext;
  /** Absent when the call has none. */
  readonly body?: string;
  /** True when `body` is base64 of bytes that are not text. */
  readonly isBase64Encoded: boolean;
}

interface HttpRequestContext {
  readonly accountId: string;
  readonly apiId: string;
  readonly domainName: string;
  readonly domainPrefix: string;
  readonly requestId: string;
  readonly routeKey: string;
  readonly stage: string;
  /** `12/Mar/2026:19:03:58 +0000`. */
  readonly time: string;
  readonly timeEpoch: number;
  readonly http: {
    readonly method: string;
    readonly path: string;
    readonly protocol: string;
    readonly sourceIp: string;
    readonly userAgent: string;
  };
}

/** An answer with status, headers and cookies. */
export interface HttpStructuredResult {
  readonly statusCode: number;
  readonly headers?: Readonly<Record<string, string | number | boolean>>;
  readonly cookies?: readonly string[];
  readonly body?: string;
  readonly isBase64Encoded?: boolean;
}

/** A structured answer; anything else becomes the body of a 200 as JSON, a text as it is. */
export type HttpResult = HttpStructuredResult | string | Readonly<Record<string, unknown>> | readonly unknown[];
