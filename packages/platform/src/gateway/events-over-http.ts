/** Paths that take events over HTTP, and their handlers, which no start waits for. */

const WEBHOOK_PREFIX = "/webhooks/";
const CLOUD_EVENTS_PREFIX = "/cloud-events/";

/** The source that a request's path names, in the form it may have in a URL; undefined for every other path. */
export function webhookName(target: string): string | undefined {
  return behind(target, WEBHOOK_PREFIX);
}

/** The bus that a request's path names; undefined for every other path. */
export function cloudEventsBus(target: string): string | undefined {
  return behind(target, CLOUD_EVENTS_PREFIX);
}

/** The handlers' modules. */
export async function loadEventHandlers() {
  const [{ WebhookHandler }, { CloudEventsHandler }] = await Promise.all([
    import("./webhook/handler.ts"),
    import("./cloud-events/cloud-events-handler.ts"),
  ]);
  return { WebhookHandler, CloudEventsHandler };
}

function behind(target: string, prefix: string): string | undefined {
  if (!target.startsWith(prefix)) return undefined;
  const end = target.indexOf("?");
  return target.slice(prefix.length, end < 0 ? undefined : end);
}
