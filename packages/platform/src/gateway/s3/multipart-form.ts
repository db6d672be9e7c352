/**
 * `multipart/form-data` as a page's form sends it, read as it comes: fields first, then one file, which streams to whoever reads it.
 * What stands behind the file is thrown away. Keeps P7: fields, heads of parts and what precedes them are bounded, the file is not held.
 *
 * @see RFC 7578
 */
import { LambentError } from "../../base/index.ts";

/** Bytes of all fields before the file. @limit */
export const FORM_FIELDS_BYTES_MAX = 20 * 1024;
const PART_HEAD_BYTES_MAX = 8 * 1024;
/** What may stand before the first part, or behind the file. */
const AROUND_BYTES_MAX = 20 * 1024;
const BOUNDARY_CHARS_MAX = 200;

export interface UploadForm {
  /** By lower-case name; the last one counts. The file's content type is not among them. */
  readonly fields: ReadonlyMap<string, string>;
  /** What the browser calls the file: its last path segment. */
  readonly fileName: string;
  /** Throws `IncompleteBody` where the form ends within the file. */
  readonly file: AsyncGenerator<Buffer, void>;
}

/** Reads the form up to its file. Throws `MalformedRequest` (what: form), `IncompleteBody`, `RequestTooLarge`. */
export async function readUploadForm(contentType: string, bytes: AsyncIterable<Uint8Array>): Promise<UploadForm> {
  const reader = new DelimitedReader(bytes, Buffer.from(`\r\n--${boundaryOf(contentType)}`));
  const fields = new Map<string, string>();
  let left = FORM_FIELDS_BYTES_MAX;
  await reader.toDelimiter(AROUND_BYTES_MAX);
  while (await reader.hasPart()) {
    const head = dispositionOf((await reader.through(HEAD_END, PART_HEAD_BYTES_MAX)).toString("utf8"));
    if (head.name === "file") return { fields, fileName: head.fileName, file: reader.file() };
    const value = await reader.toDelimiter(left);
    left -= value.length + head.name.length;
    if (left < 0) throw tooLarge();
    fields.set(head.name, value.toString("utf8"));
  }
  throw malformed("POST requires exactly one file upload per request.");
}

const HEAD_END = Buffer.from("\r\n\r\n");
const NOTHING = Buffer.alloc(0);

/** Bytes up to a delimiter, with no more held than a delimiter could begin in. */
class DelimitedReader {
  readonly #source: AsyncIterator<Uint8Array>;
  readonly #delimiter: Buffer;
  /** The first delimiter has no line before it. */
  #held: Buffer = Buffer.from("\r\n");

  constructor(source: AsyncIterable<Uint8Array>, delimiter: Buffer) {
    this.#source = source[Symbol.asyncIterator]();
    this.#delimiter = delimiter;
  }

  toDelimiter(bytesMax: number): Promise<Buffer> {
    return this.through(this.#delimiter, bytesMax);
  }

  /** What stands before `mark`, which is taken too. */
  async through(mark: Buffer, bytesMax: number): Promise<Buffer> {
    let from = 0;
    for (;;) {
      const at = this.#held.indexOf(mark, from);
      if (at > bytesMax || (at < 0 && this.#held.length > bytesMax + mark.length)) throw tooLarge();
      if (at >= 0) return this.#take(at, mark.length);
      from = Math.max(0, this.#held.length - mark.length + 1);
      await this.#more();
    }
  }

  /** Behind a delimiter: true when a part follows, false at the form's end. */
  async hasPart(): Promise<boolean> {
    while (this.#held.length < 2) await this.#more();
    const next = this.#take(2, 0).toString("latin1");
    if (next === "--") return false;
    if (next !== "\r\n") throw malformed("The body of your POST request is not well-formed multipart/form-data.");
    // The end of the line may be the end of an empty head as well.
    this.#held = Buffer.concat([Buffer.from("\r\n"), this.#held]);
    return true;
  }

  async *file(): AsyncGenerator<Buffer, void> {
    const delimiter = this.#delimiter;
    for (;;) {
      const at = this.#held.indexOf(delimiter);
      if (at >= 0) {
        if (at > 0) yield this.#held.subarray(0, at);
        this.#take(at, delimiter.length);
        return this.#skipRest();
      }
      const safe = this.#held.length - delimiter.length + 1;
      if (safe > 0) yield this.#take(safe, 0);
      await this.#more();
    }
  }

  async #skipRest(): Promise<void> {
    let bytes = this.#held.length;
    this.#held = NOTHING;
    for (;;) {
      const next = await this.#source.next();
      if (next.done) return;
      bytes += next.value.length;
      if (bytes > AROUND_BYTES_MAX) throw malformed("Nothing may follow the file of a POST request.");
    }
  }

  async #more(): Promise<void> {
    const next = await this.#source.next();
    if (next.done) throw new LambentError("IncompleteBody", "The form ended before its last boundary.");
    this.#held = this.#held.length === 0 ? asBuffer(next.value) : Buffer.concat([this.#held, next.value]);
  }

  #take(length: number, skip: number): Buffer {
    const taken = this.#held.subarray(0, length);
    this.#held = this.#held.subarray(length + skip);
    return taken;
  }
}

function boundaryOf(contentType: string): string {
  const match = /;\s*boundary=(?:"([^"\r\n]+)"|([^\s;"]+))/i.exec(contentType);
  const boundary = match?.[1] ?? match?.[2];
  if (boundary === undefined || boundary.length > BOUNDARY_CHARS_MAX) throw malformed("The Content-Type of the form names no boundary.");
  return boundary;
}

function dispositionOf(head: string): { readonly name: string; readonly fileName: string } {
  const disposition = /\r\ncontent-disposition:\s*form-data\s*;([^\r\n]*)/i.exec(`\r\n${head}`)?.[1] ?? "";
  const name = parameter(disposition, "name");
  if (name === undefined) throw malformed("A part of the form has no name.");
  const fileName = parameter(disposition, "filename") ?? "";
  return { name: name.toLowerCase(), fileName: fileName.slice(Math.max(fileName.lastIndexOf("/"), fileName.lastIndexOf("\\")) + 1) };
}

/** Browsers write quotes within a name as %22. */
function parameter(disposition: string, name: string): string | undefined {
  const match = new RegExp(`(?:^|[;\\s])${name}=(?:"([^"]*)"|([^\\s;]+))`, "i").exec(disposition);
  return (match?.[1] ?? match?.[2])?.replaceAll("%22", '"');
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function malformed(message: string): LambentError {
  return new LambentError("MalformedRequest", message, { what: "form" });
}

function tooLarge(): LambentError {
  return new LambentError("RequestTooLarge", `The fields of a form have at most ${FORM_FIELDS_BYTES_MAX} bytes.`, { what: "form" });
}
