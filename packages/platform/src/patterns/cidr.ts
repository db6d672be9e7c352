import { BlockList, isIP } from "node:net";
import { refused } from "./refused.ts";
import type { AddressShape } from "./shape.ts";

/** Reads a range of IP addresses: `10.0.0.0/24`, `2001:db8::/32`. */
export function readCidr(value: unknown): AddressShape {
  // EventBridge says "prefix" here.
  if (typeof value !== "string") throw refused("prefix match pattern must be a string");
  const [address = "", mask, ...rest] = value.split("/");
  if (mask === undefined || rest.length > 0) throw refused("Malformed CIDR, one '/' required");
  if (!/^-?\d{1,9}$/.test(mask)) throw refused("Malformed CIDR, mask bits must be an integer");
  const bits = Number(mask);
  if (bits < 0) throw refused("Malformed CIDR, mask bits must not be negative");
  const version = isIP(address);
  if (version !== 4 && version !== 6) throw refused(`Nonstandard IP address: ${address.slice(0, 100)}`);
  const bitsMax = version === 4 ? 32 : 128;
  if (bits > bitsMax) throw refused(`IPv${version} mask bits must be <= ${bitsMax}`);
  const range = new BlockList();
  range.addSubnet(address, bits, version === 4 ? "ipv4" : "ipv6");
  return { kind: "address", version, address, bits, range };
}
