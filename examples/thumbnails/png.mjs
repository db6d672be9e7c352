/**
 * PNG with nothing but node:zlib: reads 8 bits a channel (grey, RGB, palette, with and without alpha), writes RGBA.
 * A picture is { width, height, pixels }, four bytes a pixel, row by row.
 *
 * @see Portable Network Graphics (PNG) Specification, W3C
 */
import { crc32, deflateSync, inflateSync } from "node:zlib";

const SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
/** Bytes a pixel by colour type: grey, RGB, palette, grey with alpha, RGBA. */
const CHANNELS = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 };
/** Four bytes each: what is larger would not fit in the function's memory. */
const PIXELS_MAX = 12_000_000;

/** Reads a picture; throws for what is none, and for what is not read here. */
export function decodePng(file) {
  if (!file.subarray(0, 8).equals(SIGNATURE)) throw new Error("this is no PNG");
  const chunks = chunksOf(file);
  const header = chunks.find(({ type }) => type === "IHDR")?.data;
  if (header?.length !== 13) throw new Error("the PNG has no header");
  const [width, height] = [header.readUInt32BE(0), header.readUInt32BE(4)];
  const [depth, colour, , , interlace] = header.subarray(8);
  if (depth !== 8 || interlace !== 0 || !(colour in CHANNELS)) throw new Error("only PNGs with 8 bits a channel, not interlaced, are read");
  if (width * height > PIXELS_MAX) throw new Error(`the picture has ${width * height} pixels, more than ${PIXELS_MAX}`);
  const channels = CHANNELS[colour];
  const compressed = Buffer.concat(chunks.filter(({ type }) => type === "IDAT").map(({ data }) => data));
  const bytes = (width * channels + 1) * height;
  const raw = inflateSync(compressed, { maxOutputLength: bytes });
  if (width === 0 || height === 0 || raw.length !== bytes) throw new Error("the PNG is not as large as it says");
  const rows = unfiltered(raw, width * channels, channels);
  const part = (name) => chunks.find(({ type }) => type === name)?.data;
  return { width, height, pixels: rgba(rows, colour, { palette: part("PLTE"), alpha: colour === 3 ? part("tRNS") : undefined }) };
}

function chunksOf(file) {
  const chunks = [];
  for (let at = 8; at + 12 <= file.length;) {
    const length = file.readUInt32BE(at);
    const data = file.subarray(at + 8, at + 8 + length);
    if (data.length !== length || at + 12 + length > file.length) throw new Error("the PNG ends too early");
    if (crc32(file.subarray(at + 4, at + 8 + length)) !== file.readUInt32BE(at + 8 + length)) throw new Error("the PNG is damaged");
    chunks.push({ type: file.toString("latin1", at + 4, at + 8), data });
    at += 12 + length;
  }
  return chunks;
}

/** Each row begins with how it was filtered: what of its bytes is only the difference to their neighbours. */
function unfiltered(raw, rowBytes, step) {
  const rows = Buffer.alloc((raw.length / (rowBytes + 1)) * rowBytes);
  for (let from = 0, to = 0; from < raw.length; from += rowBytes + 1, to += rowBytes) {
    const predict = PREDICTORS[raw[from]];
    if (!predict) throw new Error("the PNG is damaged");
    for (let x = 0; x < rowBytes; x += 1) {
      const left = x < step ? 0 : rows[to + x - step];
      const up = to === 0 ? 0 : rows[to + x - rowBytes];
      const corner = x < step || to === 0 ? 0 : rows[to + x - rowBytes - step];
      rows[to + x] = raw[from + 1 + x] + predict(left, up, corner);
    }
  }
  return rows;
}

const PREDICTORS = [() => 0, (left) => left, (_left, up) => up, (left, up) => (left + up) >> 1, paeth];

function paeth(left, up, corner) {
  const guess = left + up - corner;
  const [byLeft, byUp, byCorner] = [left, up, corner].map((each) => Math.abs(guess - each));
  if (byLeft <= byUp && byLeft <= byCorner) return left;
  return byUp <= byCorner ? up : corner;
}

function rgba(rows, colour, { palette = Buffer.alloc(0), alpha = Buffer.alloc(0) }) {
  const channels = CHANNELS[colour];
  const pixels = Buffer.alloc((rows.length / channels) * 4, 255);
  for (let from = 0, to = 0; from < rows.length; from += channels, to += 4) {
    if (colour === 3) {
      palette.copy(pixels, to, rows[from] * 3, rows[from] * 3 + 3);
      pixels[to + 3] = alpha[rows[from]] ?? 255;
    } else if (channels <= 2) {
      pixels.fill(rows[from], to, to + 3);
      if (channels === 2) pixels[to + 3] = rows[from + 1];
    } else rows.copy(pixels, to, from, from + channels);
  }
  return pixels;
}

/** Writes a picture as RGBA; each row as the difference to the one above, which packs well. */
export function encodePng({ width, height, pixels }) {
  const rowBytes = width * 4;
  const raw = Buffer.alloc((rowBytes + 1) * height);
  for (let y = 0; y < height; y += 1) {
    raw[y * (rowBytes + 1)] = 2;
    for (let x = 0; x < rowBytes; x += 1)
      raw[y * (rowBytes + 1) + 1 + x] = pixels[y * rowBytes + x] - (y === 0 ? 0 : pixels[(y - 1) * rowBytes + x]);
  }
  const header = Buffer.from([0, 0, 0, 0, 0, 0, 0, 0, 8, 6, 0, 0, 0]);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  return Buffer.concat([SIGNATURE, chunk("IHDR", header), chunk("IDAT", deflateSync(raw)), chunk("IEND", Buffer.alloc(0))]);
}

function chunk(type, data) {
  const named = Buffer.concat([Buffer.from(type, "latin1"), data]);
  const whole = Buffer.alloc(named.length + 8);
  whole.writeUInt32BE(data.length, 0);
  named.copy(whole, 4);
  whole.writeUInt32BE(crc32(named), named.length + 4);
  return whole;
}
