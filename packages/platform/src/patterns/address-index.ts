import { isIP } from "node:net";
import { Buckets } from "./buckets.ts";
import type { AddressShape } from "./shape.ts";

/** Finds the ranges of addresses that an address is in: one look-up for each length of mask that occurs. */
export class AddressIndex<Item extends object> {
  #size = 0;
  readonly #masks = { 4: new Map<number, Buckets<bigint, Item>>(), 6: new Map<number, Buckets<bigint, Item>>() };

  add(shape: AddressShape, item: Item): void {
    this.#size += 1;
    const masks = this.#masks[shape.version];
    const networks = masks.get(shape.bits) ?? new Buckets<bigint, Item>();
    masks.set(shape.bits, networks);
    networks.add(networkOf(shape), item);
  }

  remove(shape: AddressShape, item: Item): void {
    this.#size -= 1;
    const masks = this.#masks[shape.version];
    const networks = masks.get(shape.bits);
    networks?.remove(networkOf(shape), item);
    if (networks?.size === 0) masks.delete(shape.bits);
  }

  collect(text: string, found: Item[]): void {
    const version = this.#size > 0 ? isIP(text) : 0;
    if (version !== 4 && version !== 6) return;
    const masks = this.#masks[version];
    if (masks.size === 0) return;
    const address = addressOf(text, version);
    for (const [bits, networks] of masks) networks.collect(address >> BigInt(width(version) - bits), found);
  }
}

const width = (version: 4 | 6): number => (version === 4 ? 32 : 128);

function networkOf({ version, address, bits }: AddressShape): bigint {
  return addressOf(address, version) >> BigInt(width(version) - bits);
}

/** An address that `isIP` takes for one, as a number. */
function addressOf(text: string, version: 4 | 6): bigint {
  if (version === 4) return joined(text.split(".").map(Number), 8);
  const [head = [], tail] = (text.split("%")[0] ?? "").split("::").map(groupsOf);
  if (tail === undefined) return joined(head, 16);
  return joined([...head, ...Array.from({ length: 8 - head.length - tail.length }, () => 0), ...tail], 16);
}

/** Groups of 16 bits; the last two may be written as an address of version 4. */
function groupsOf(text: string): number[] {
  if (text === "") return [];
  return text.split(":").flatMap((group) => {
    if (!group.includes(".")) return [Number.parseInt(group, 16)];
    const [first = 0, second = 0, third = 0, fourth = 0] = group.split(".").map(Number);
    return [first * 256 + second, third * 256 + fourth];
  });
}

function joined(parts: readonly number[], bitsEach: number): bigint {
  return parts.reduce((all, part) => (all << BigInt(bitsEach)) | BigInt(part), 0n);
}
