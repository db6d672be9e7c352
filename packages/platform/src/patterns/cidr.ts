import { BlockList, isIP } from "node:net";
import type { Matcher } from "./match.ts";
import { refused } from "./refused.ts";

/** Reads a range of IP addresses: `10.0.0.0/24`, `2001:db8::/32`. */
export function readCidr(value: unknown): Matcher {
  // EventBridge says "prefix" here.
  if (typeof value !== "string") throw refused("prefix match pattern must be a string");
  const [address = "", mask, ...rest] = value.split("/");
  if (mask === undefined || rest.length > 0) throw refused("Malformed CIDR, one '/' required");
  if (!/^-?\d{1,9}$/.test(mask)) throw refused("Malformed CIDR, mask bits must be an integer");
  const bits = Number(mask);
  if (bits < 0) throw refused("Malformed CIDR, mask bits must not be negative");
  const version = isIP(address);
  if (version === 0) throw refused(`Nonstandard IP address: ${address.slice(0, 100)}`);
  const bitsMax = version === 4 ? 32 : 128;
  if (bits > bitsMax) throw refused(`IPv${version} mask bits must be <= ${bitsMax}`);
  const range = new BlockList();
  range.addSubnet(address, bits, version === 4 ? "ipv4" : "ipv6");
  return (each) => {
    const kind = typeof each === "string" ? isIP(each) : 0;
    return kind === version && range.check(each as string, kind === 4 ? "ipv4" : "ipv6");
  };
}
