import { CommandFailure } from "./errors.ts";

/** Names of buses, rules and schedules: checked here, where the option can be named that brought them. */

/** `--bus`: a name, or an ARN, which the server judges. */
export function readBus(bus: string): string {
  if (bus.startsWith("arn:") || /^[A-Za-z0-9._/-]{1,256}$/u.test(bus)) return bus;
  throw new CommandFailure(
    "usage",
    `--bus is ${JSON.stringify(bus)}; a bus's name has letters, digits, ., -, _ and /, at most 256.`,
    "For example --bus shop",
  );
}

/** `--name` of a rule or a schedule. */
export function readName(name: string | undefined): string | undefined {
  if (name === undefined || /^[A-Za-z0-9._-]{1,64}$/u.test(name)) return name;
  throw new CommandFailure(
    "usage",
    `--name is ${JSON.stringify(name)}; a rule's or a schedule's name has letters, digits, ., - and _, at most 64.`,
    "For example --name nightly",
  );
}
