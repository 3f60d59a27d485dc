/** The file to import: what it is, by its content and not by its name, and its decompressed bytes. */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import type { Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { UsageError } from "../errors.ts";
import { reasonOf } from "../options.ts";

/** The file is damaged or is no table; what lies before the damage may have been sent. */
export class FileFormatError extends UsageError {}

export interface SourceFile {
  readonly path: string;
  /** On disk, compressed. */
  readonly bytes: number;
  /** SHA-256 of the file as it lies on disk, hex. */
  readonly sha256: string;
  readonly gzip: boolean;
  readonly encoding: "utf8" | "utf16le";
  /** The first line without its end and without a byte order mark. */
  readonly first_line: string;
}

/** The header must end within this many bytes. */
const MAX_HEADER_BYTES = 1_048_576;
const GZIP_MAGIC = [0x1f, 0x8b] as const;
const FOREIGN: readonly (readonly [magic: readonly number[], what: string])[] = [
  [[0x50, 0x4b, 0x03, 0x04], "a ZIP archive or a spreadsheet: unpack it, or save it as CSV"],
  [[0x28, 0xb5, 0x2f, 0xfd], "compressed with zstd: unpack it first"],
  [[0x42, 0x5a, 0x68], "compressed with bzip2: unpack it first"],
  [[0xfd, 0x37, 0x7a, 0x58, 0x5a], "compressed with xz: unpack it first"],
  [[0xfe, 0xff], "UTF-16 in big-endian order: save it as UTF-8"],
];

/**
 * Look at a file once from end to end: its hash makes a second import of the same content recognisable.
 * @throws {UsageError} when it cannot be read
 * @throws {FileFormatError} when it is no text table
 */
export async function inspectFile(path: string): Promise<SourceFile> {
  const hash = createHash("sha256");
  let bytes = 0;
  let head: Buffer = Buffer.alloc(0);
  try {
    for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) {
      if (head.length < 8) head = Buffer.concat([head, chunk.subarray(0, 8)]);
      hash.update(chunk);
      bytes += chunk.length;
    }
  } catch (cause) {
    throw new UsageError(`${path} cannot be read: ${reasonOf(cause)}`, { cause });
  }
  const gzip = startsWith(head, GZIP_MAGIC);
  refuseForeign(path, head);
  const start = await firstBytes(path, gzip);
  if (gzip) refuseForeign(path, start);
  const encoding = startsWith(start, [0xff, 0xfe]) ? "utf16le" : "utf8";
  const first_line = firstLine(path, start, encoding);
  return { path, bytes, sha256: hash.digest("hex"), gzip, encoding, first_line };
}

/**
 * The decompressed bytes. Errors of the disk and of the compression end the stream.
 * @param read told how many bytes of the file on disk have been read so far
 */
export function openSource(
  { path, gzip }: Pick<SourceFile, "path" | "gzip">,
  read: (bytes: number) => void,
): Readable {
  let bytes = 0;
  const file = createReadStream(path, { highWaterMark: 262_144 });
  file.on("data", (chunk) => {
    bytes += chunk.length;
    read(bytes);
  });
  file.pause();
  if (!gzip) return file;
  const unpacked = createGunzip();
  file.on("error", (error) => unpacked.destroy(error));
  unpacked.on("close", () => file.destroy());
  return file.pipe(unpacked);
}

async function firstBytes(path: string, gzip: boolean): Promise<Buffer> {
  const parts: Buffer[] = [];
  let length = 0;
  const source = openSource({ path, gzip }, () => undefined);
  try {
    for await (const chunk of source as AsyncIterable<Buffer>) {
      parts.push(chunk);
      length += chunk.length;
      if (chunk.includes(10) || chunk.includes(13) || length > MAX_HEADER_BYTES) break;
    }
  } catch (cause) {
    throw new FileFormatError(`${path} is damaged: ${reasonOf(cause)}`, { cause });
  }
  return Buffer.concat(parts);
}

function firstLine(path: string, start: Buffer, encoding: "utf8" | "utf16le"): string {
  const text = start.toString(encoding).replace(/^\ufeff/, "");
  if (text.includes("\0")) throw new FileFormatError(`${path} is not a text file`);
  const line = text.split(/\r\n|\n|\r/, 1)[0] ?? "";
  if (line.length >= MAX_HEADER_BYTES) throw new FileFormatError(`${path} has no line end in its first MiB`);
  if (line.trim() === "") throw new FileFormatError(`${path} has no header line: its first line is empty`);
  return line;
}

function refuseForeign(path: string, head: Buffer): void {
  const foreign = FOREIGN.find(([magic]) => startsWith(head, magic));
  if (foreign) throw new FileFormatError(`${path} is ${foreign[1]}`);
}

function startsWith(bytes: Buffer, magic: readonly number[]): boolean {
  return magic.every((byte, i) => bytes[i] === byte);
}
