import { crc32, deflateRawSync } from "node:zlib";
import { ZipFile } from "yazl";

/** An ordinary zip, made by a library. */
export async function zipOf(files: Readonly<Record<string, string | Buffer>>, mode = 0o100_644): Promise<Buffer> {
  const zip = new ZipFile();
  // A fixed time, so that the same files are the same zip.
  for (const [name, content] of Object.entries(files))
    zip.addBuffer(Buffer.from(content), name, { mode, mtime: new Date(Date.UTC(2026, 0, 1)) });
  zip.end();
  const chunks: Buffer[] = [];
  for await (const chunk of zip.outputStream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/** One entry exactly as told, whether or not any tool would write it. */
export interface RawEntry {
  readonly name: string | Buffer;
  readonly content?: Buffer | string;
  readonly mode?: number;
  readonly method?: number;
  readonly flags?: number;
  /** What the directory claims in place of the truth. */
  readonly claimedBytes?: number;
  readonly claimedPackedBytes?: number;
  readonly claimedCrc32?: number;
  /** The packed bytes in place of the right ones. */
  readonly packed?: Buffer;
  /** Shares the packed bytes of the entry before it. */
  readonly overlaps?: boolean;
}

const UTF8_FLAG = 0x800;
const MADE_ON_UNIX = 0x031e;

/** A zip byte by byte: for entries that libraries refuse to write. */
export function rawZip(entries: readonly RawEntry[]): Buffer {
  const locals: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  let previous = 0;
  for (const entry of entries) {
    const content = Buffer.from(entry.content ?? "");
    const method = entry.method ?? 8;
    const packed = entry.packed ?? (method === 8 ? deflateRawSync(content) : content);
    const name = Buffer.from(entry.name);
    const checksum = entry.claimedCrc32 ?? crc32(content);
    const sizes = [entry.claimedPackedBytes ?? packed.length, entry.claimedBytes ?? content.length] as const;
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt16LE(entry.flags ?? UTF8_FLAG, 2);
    common.writeUInt16LE(method, 4);
    common.writeUInt32LE(checksum, 10);
    common.writeUInt32LE(sizes[0], 14);
    common.writeUInt32LE(sizes[1], 18);
    common.writeUInt16LE(name.length, 22);
    const start = entry.overlaps === true ? previous : offset;
    if (entry.overlaps !== true) {
      const local = Buffer.concat([Buffer.from("PK\u0003\u0004", "latin1"), common, name, packed]);
      locals.push(local);
      previous = offset;
      offset += local.length;
    }
    const central = Buffer.alloc(46);
    central.write("PK\u0001\u0002", 0, "latin1");
    central.writeUInt16LE(MADE_ON_UNIX, 4);
    common.copy(central, 6, 0, 24);
    central.writeUInt32LE(((entry.mode ?? 0o100_644) << 16) >>> 0, 38);
    central.writeUInt32LE(start, 42);
    directory.push(central, name);
  }
  const list = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.write("PK\u0005\u0006", 0, "latin1");
  end.writeUInt16LE(entries.length, 8);
  end.writeUInt16LE(entries.length, 10);
  end.writeUInt32LE(list.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...locals, list, end]);
}
