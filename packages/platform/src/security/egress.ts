import { lookup as systemLookup } from "node:dns/promises";
import { BlockList, isIP, isIPv4 } from "node:net";
import { networkInterfaces } from "node:os";
import { type ErrorDetails, LambentError } from "../base/index.ts";

/**
 * Who may be reached over HTTP, by an instance or by `delivery/`: public addresses, and what was opened. One rule for both.
 * A name is resolved once, every answer is checked, and the address is what is connected to: a name that resolves differently
 * the second time (rebinding) has no second time.
 */

/** Ranges that are not the public Internet, or that carry another address inside. */
const CLOSED_RANGES = [
  "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24",
  "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/3",
  "::/96", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32", "2002::/16", "fc00::/7", "fe80::/10", "ff00::/8",
] as const; // prettier-ignore

const closedRanges = rangeList(CLOSED_RANGES);

function rangeList(ranges: readonly string[]): BlockList {
  const list = new BlockList();
  for (const range of ranges) {
    const [network = "", bits = ""] = range.split("/", 2);
    list.addSubnet(network, Number(bits), network.includes(":") ? "ipv6" : "ipv4");
  }
  return list;
}

/** What configuration opened beyond the public Internet. */
export type OpenedDestination =
  /** `--allow-host-port`: one address or name, one port. */
  | { readonly kind: "hostPort"; readonly host: string; readonly port: number }
  /** `--allow-network`: a range, any port. */
  | { readonly kind: "network"; readonly address: string; readonly prefix: number };

/**
 * True when `ip` may be connected to: public, and none of `ownAddresses`; or in a network that was opened.
 * Text that is no address is not allowed.
 */
export function egressAllowed(ip: string, ownAddresses: ReadonlySet<string>, opened: readonly OpenedDestination[]): boolean {
  const address = plainAddress(ip);
  if (address === undefined) return false;
  if (opened.some((destination) => destination.kind === "network" && inNetwork(address, destination.address, destination.prefix)))
    return true;
  return !inList(closedRanges, address) && !ownAddresses.has(address);
}

/** `::ffff:1.2.3.4` is 1.2.3.4, in whichever spelling; undefined for what is no address or has a zone. */
function plainAddress(ip: string): string | undefined {
  if (isIPv4(ip)) return ip;
  if (isIP(ip) === 0 || ip.includes("%")) return undefined;
  // The URL parser has the one canonical spelling of an IPv6 address.
  const canonical = new URL(`http://[${ip}]/`).hostname.slice(1, -1);
  const mapped = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(canonical);
  if (!mapped) return canonical;
  const [high, low] = [Number.parseInt(mapped[1] ?? "", 16), Number.parseInt(mapped[2] ?? "", 16)];
  return `${high >> 8}.${high & 255}.${low >> 8}.${low & 255}`;
}

function inList(list: BlockList, address: string): boolean {
  return list.check(address, isIPv4(address) ? "ipv4" : "ipv6");
}

function inNetwork(address: string, network: string, prefix: number): boolean {
  const family = isIPv4(address) ? "ipv4" : "ipv6";
  if (isIPv4(network) !== isIPv4(address)) return false;
  const list = new BlockList();
  list.addSubnet(network, prefix, family);
  return list.check(address, family);
}

/** An address that was checked; connect to this and never to the name. */
export interface ResolvedAddress {
  readonly address: string;
  readonly family: 4 | 6;
}

export interface Egress {
  /**
   * Resolves `host` (a name, an address, or an address in brackets) once and returns an address that may be connected to on `port`.
   * Throws `EgressRefused` when any of its addresses is not allowed, or it has none.
   */
  resolvePinned(host: string, port: number): Promise<ResolvedAddress>;
}

/** An egress rule for a caller that tries one address of a name after the other. */
export interface EgressToAll extends Egress {
  /** As `resolvePinned`, all addresses in the resolver's order. A name without any throws with the detail `unresolved`: the next time may be better. */
  resolveAll(host: string, port: number): Promise<readonly [ResolvedAddress, ...ResolvedAddress[]]>;
}

export interface EgressOptions {
  /** Every address of a name; by default the system's resolver. */
  readonly lookup?: (host: string) => Promise<readonly string[]>;
  /** The machine's own addresses now; by default `hostAddresses`. */
  readonly ownAddresses?: () => ReadonlySet<string>;
  readonly opened: readonly OpenedDestination[];
  /**
   * With it, loopback may be reached too: for what the platform sends itself, on a server that only this machine reaches. Told once, at
   * the first time, and to whom. Never for instances: the loopback of the machine is not theirs.
   */
  readonly onLoopback?: (host: string, port: number) => void;
}

/** Addresses an answer may have; a resolver that sends more is not trusted (P7). */
const ADDRESSES_MAX = 64;
/** Characters of a host name, as DNS bounds them. */
const HOST_CHARACTERS_MAX = 253;

/** The egress rule with its resolver. Throws `InvalidParameter` when an opened destination is malformed. */
export function createEgress(options: EgressOptions): EgressToAll {
  const lookup = options.lookup ?? resolveByName;
  const ownAddresses = options.ownAddresses ?? hostAddresses;
  for (const destination of options.opened) checkOpened(destination);
  const saidOfLoopback = options.onLoopback && once(options.onLoopback);
  const resolveAll: EgressToAll["resolveAll"] = async (host, port) => {
    const name = host.replace(/^\[|\]$/g, "").toLowerCase();
    if (name === "" || name.length > HOST_CHARACTERS_MAX) throw refused(host, "is not a host");
    const addresses = isIP(name) === 0 ? await resolve(lookup, name) : [name];
    // The system is asked for the machine's own addresses only where the answer counts: it takes longer than all of the rest.
    let own: ReadonlySet<string> | undefined;
    const isPublic = (address: string): boolean =>
      egressAllowed(address, NO_ADDRESSES, options.opened) && egressAllowed(address, (own ??= ownAddresses()), options.opened);
    const openedHere = (address: string): boolean => options.opened.some((destination) => opensHostPort(destination, name, address, port));
    const allowed = (address: string): boolean => isPublic(address) || openedHere(address);
    const loopbackHere = saidOfLoopback ? isLoopbackAddress : () => false;
    const denied = addresses.find((address) => !allowed(address) && !loopbackHere(address));
    if (denied !== undefined)
      throw refused(host, denied === name ? "is not a public address" : `resolves to ${denied}, which is not a public address`);
    if (addresses.some((address) => !allowed(address))) saidOfLoopback?.(host, port);
    const [first, ...rest] = addresses.flatMap((address) => plainAddress(address) ?? []).map(withFamily);
    if (!first) throw refused(host, "has no address", { unresolved: true });
    return [first, ...rest];
  };
  return { resolveAll, resolvePinned: async (host, port) => (await resolveAll(host, port))[0] };
}

const NO_ADDRESSES: ReadonlySet<string> = new Set();

function withFamily(address: string): ResolvedAddress {
  return { address, family: isIPv4(address) ? 4 : 6 };
}

/** In whichever spelling: `::ffff:127.0.0.1` is one too. */
function isLoopbackAddress(address: string): boolean {
  const plain = plainAddress(address);
  return plain !== undefined && (plain === "::1" || (isIPv4(plain) && plain.startsWith("127.")));
}

function once<Arguments extends unknown[]>(tell: (...told: Arguments) => void): (...told: Arguments) => void {
  let said = false;
  return (...told) => {
    if (said) return;
    said = true;
    tell(...told);
  };
}

function opensHostPort(destination: OpenedDestination, name: string, address: string, port: number): boolean {
  if (destination.kind !== "hostPort" || destination.port !== port) return false;
  const opened = destination.host.toLowerCase();
  return opened === name || (isIP(opened) !== 0 && plainAddress(opened) === plainAddress(address));
}

function checkOpened(destination: OpenedDestination): void {
  if (destination.kind === "hostPort") {
    if (destination.host !== "" && Number.isInteger(destination.port) && destination.port >= 1 && destination.port <= 65_535) return;
    throw new LambentError(
      "InvalidParameter",
      `An opened host and port is ${destination.host}:${destination.port}; the port is 1 to 65535.`,
    );
  }
  const bits = isIP(destination.address) === 4 ? 32 : isIP(destination.address) === 6 ? 128 : -1;
  if (Number.isInteger(destination.prefix) && destination.prefix >= 0 && destination.prefix <= bits) return;
  throw new LambentError(
    "InvalidParameter",
    `An opened network is ${destination.address}/${destination.prefix}; it is an IP address and a prefix length.`,
  );
}

async function resolve(lookup: (host: string) => Promise<readonly string[]>, name: string): Promise<readonly string[]> {
  let addresses: readonly string[];
  try {
    addresses = await lookup(name);
  } catch {
    throw refused(name, "does not resolve", { unresolved: true });
  }
  if (addresses.length > ADDRESSES_MAX) throw refused(name, `has more than ${ADDRESSES_MAX} addresses`);
  return addresses;
}

async function resolveByName(host: string): Promise<readonly string[]> {
  const answers = await systemLookup(host, { all: true });
  return answers.map((answer) => answer.address);
}

/** Addresses of the machine's interfaces, in their plain spelling: reaching the host by its public address is reaching the host. */
export function hostAddresses(): ReadonlySet<string> {
  const addresses = new Set<string>();
  for (const network of Object.values(networkInterfaces())) {
    for (const { address } of network ?? []) addresses.add(plainAddress(address.replace(/%.*$/, "")) ?? address);
  }
  return addresses;
}

function refused(host: string, what: string, details: ErrorDetails = {}): LambentError {
  return new LambentError("EgressRefused", `${host.slice(0, HOST_CHARACTERS_MAX)} ${what}.`, details);
}
