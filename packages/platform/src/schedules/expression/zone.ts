/** Time zones by their IANA names, from the tables that come with Node. */
import { invariant, type Instant, Lru } from "../../base/index.ts";
import { DAY_MS } from "./local-time.ts";

/** Characters of a zone's name. @limit */
export const ZONE_LENGTH_MAX = 50;
/** Zones of which more than the name is kept. */
const ZONES_MAX = 64;
/** Offsets of one zone that are remembered, one a quarter of an hour: no zone changes in between. */
const OFFSETS_MAX = 1_024;
const QUARTER_MS = 900_000;

interface Zone {
  readonly formatter: Intl.DateTimeFormat;
  /** By number of the quarter since 1970. */
  readonly offsets: Lru<number, number>;
}

const zones = new Lru<string, Zone>(ZONES_MAX);

/** Whether `name` is a zone of the IANA tables. Offsets such as `+01:00` are no names. */
export function isZone(name: string): boolean {
  return name.length <= ZONE_LENGTH_MAX && /^[A-Za-z][A-Za-z0-9_+/-]*$/.test(name) && zoneOf(name) !== undefined;
}

/** What a clock on the wall of the zone shows at `at`, in whole seconds. */
export function localAt(zone: string, at: Instant): number {
  return Math.floor(at / 1_000) * 1_000 + offsetAt(zone, at);
}

/** When the zone's clocks first show `localMs`: undefined when they are put forward over it. */
export function firstInstant(zone: string, localMs: number): Instant | undefined {
  // No zone is further than a day from UTC: both sides of any change that matters are among these.
  const before = offsetAt(zone, localMs - DAY_MS);
  const after = offsetAt(zone, localMs + DAY_MS);
  if (before === after && localAt(zone, localMs - before) === localMs) return localMs - before;
  const between = [offsetAt(zone, localMs - before), offsetAt(zone, localMs - after)];
  const instants = [before, after, ...between].map((offset) => localMs - offset).filter((at) => localAt(zone, at) === localMs);
  return instants.length === 0 ? undefined : Math.min(...instants);
}

/** Milliseconds that the zone's clocks are ahead of UTC. */
function offsetAt(name: string, at: Instant): number {
  if (name === "UTC") return 0;
  const zone = zoneOf(name);
  invariant(zone, `${name} was checked before it was used`);
  const quarter = Math.floor(at / QUARTER_MS);
  const known = zone.offsets.get(quarter);
  if (known !== undefined) return known;
  const shown = zone.formatter
    .format(quarter * QUARTER_MS)
    .split(/\D+/)
    .map(Number);
  const [month = 0, day = 0, year = 0, hour = 0, minute = 0, second = 0] = shown;
  const offset = Date.UTC(year, month - 1, day, hour, minute, second) - quarter * QUARTER_MS;
  zone.offsets.set(quarter, offset);
  return offset;
}

function zoneOf(name: string): Zone | undefined {
  const known = zones.get(name);
  if (known) return known;
  try {
    const numeric = { year: "numeric", month: "numeric", day: "numeric", hour: "numeric", minute: "numeric", second: "numeric" } as const;
    const formatter = new Intl.DateTimeFormat("en-US", { timeZone: name, hourCycle: "h23", ...numeric });
    const made: Zone = { formatter, offsets: new Lru(OFFSETS_MAX) };
    zones.set(name, made);
    return made;
  } catch {
    return undefined;
  }
}
