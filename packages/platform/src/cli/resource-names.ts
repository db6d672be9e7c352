/** ARNs as people say them. */

/** `hello`, `hello:prod`, `queue orders`, `stream readings`, `bus default`, `rule r1`, `schedule nightly`, `topic news`, `bucket photos`; what is none of these stays an ARN. */
export function resourceText(arn: string): string {
  const [, , service, , , ...rest] = arn.split(":");
  const name = rest.join(":");
  switch (service) {
    case "lambda":
      return rest.slice(1).join(":");
    case "sqs":
      return `queue ${name}`;
    case "kinesis":
      return `stream ${name.replace(/^stream\//u, "")}`;
    case "s3":
      return `bucket ${name}`;
    case "sns":
      return `topic ${rest[0] ?? ""}`;
    case "events":
      return eventsText(name);
    case "scheduler":
      return scheduleText(name);
    default:
      return arn;
  }
}

function eventsText(name: string): string {
  const [kind = "", ...rest] = name.split("/");
  switch (kind) {
    case "event-bus":
      return `bus ${rest.join("/")}`;
    case "rule":
      return rest.length === 1 ? `rule ${rest[0]}` : `rule ${rest.at(-1)} of bus ${rest.slice(0, -1).join("/")}`;
    case "api-destination":
      return `API destination ${rest[0]}`;
    default:
      return `${kind} ${rest.join("/")}`;
  }
}

function scheduleText(name: string): string {
  const [kind = "", group = "", schedule] = name.split("/");
  if (kind !== "schedule" || schedule === undefined) return `${kind} ${group}`;
  return group === "default" ? `schedule ${schedule}` : `schedule ${group}/${schedule}`;
}
