import { CommandFailure } from "./errors.ts";

/** Refuses what cannot be the id of an event before anybody is asked about it. */
export function requireEventId(id: string): void {
  if (/^[0-9a-f-]{36}$/u.test(id)) return;
  throw new CommandFailure(
    "usage",
    `${JSON.stringify(id)} is no id of an event, which is 36 characters long, as 01890a5d-ac96-774b-bcce-b302099a8057.`,
    "`lambent events` lists events with their ids.",
  );
}
