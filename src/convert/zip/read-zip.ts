import { EmbedError } from "../../errors.ts";
import { crc32 } from "../../image/crc32.ts";
import { invalidModel } from "../convert-error.ts";

/** One file of an archive, as the archive's directory has it. */
export interface ZipEntry {
  readonly name: string;
  readonly method: number;
  readonly crc: number;
  readonly storedBytes: number;
  /** Once it is inflated. */
  readonly bytes: number;
  /** Of its own header. */
  readonly offset: number;
}

// Records of PKWARE's APPNOTE, 4.3: signature and bytes before the parts of variable length.
const fileHeader = { signature: 0x04034b50, bytes: 30 } as const;
const directoryHeader = { signature: 0x02014b50, bytes: 46 } as const;
const directoryEnd = { signature: 0x06054b50, bytes: 22 } as const;

const maxCommentBytes = 0xffff;
const stored = 0;
const deflated = 8;

/** Keras writes three files, and one more for each asset of a layer. */
const maxEntries = 1000;

/** Whether the bytes begin as a ZIP archive does. */
export function isZip(bytes: Uint8Array): boolean {
  return bytes.length > 4 && viewOf(bytes).getUint32(0, true) === fileHeader.signature;
}

/**
 * Lists a ZIP archive by its directory. Nothing is ever unpacked to a disk; names that would lead out of a folder
 * are refused none the less, as are names that stand twice, encryption, several disks and ZIP64, which begins at 4 GiB.
 * @throws EmbedError `CONVERT_INVALID`
 */
export function listZip(bytes: Uint8Array): ReadonlyMap<string, ZipEntry> {
  const view = viewOf(bytes);
  const end = findDirectoryEnd(view);
  const count = view.getUint16(end + 10, true);
  const start = view.getUint32(end + 16, true);
  const isWhole = view.getUint16(end + 4, true) === 0 && view.getUint16(end + 8, true) === count;
  if (!isWhole || count > maxEntries) {
    throw invalidModel(`zip archive: expected one disk and at most ${maxEntries} files, got ${count}`);
  }
  const entries = new Map<string, ZipEntry>();
  let at = start;
  for (let i = 0; i < count; i++) {
    if (at + directoryHeader.bytes > end || view.getUint32(at, true) !== directoryHeader.signature) {
      throw invalidModel(`zip archive: entry ${i} of its directory is damaged`);
    }
    const nameBytes = view.getUint16(at + 28, true);
    const next = at + directoryHeader.bytes + nameBytes + view.getUint16(at + 30, true);
    const name = new TextDecoder().decode(bytes.subarray(at + 46, at + 46 + nameBytes));
    const entry: ZipEntry = {
      name,
      method: view.getUint16(at + 10, true),
      crc: view.getUint32(at + 16, true),
      storedBytes: view.getUint32(at + 20, true),
      bytes: view.getUint32(at + 24, true),
      offset: view.getUint32(at + 42, true),
    };
    if (entries.has(name)) throw invalidModel(`zip archive: ${JSON.stringify(name)} stands in it twice`);
    checkEntry(entry, view.getUint16(at + 8, true), start);
    entries.set(name, entry);
    at = next + view.getUint16(at + 32, true);
  }
  return entries;
}

/**
 * The bytes of one entry; those of a stored one are a view of the archive.
 * @param maxBytes refuses a larger one before any memory is taken
 * @throws EmbedError `CONVERT_INVALID`
 */
export async function readZipEntry(
  bytes: Uint8Array<ArrayBuffer>,
  entry: ZipEntry,
  maxBytes: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const what = `zip archive: ${JSON.stringify(entry.name)}`;
  if (entry.bytes > maxBytes) {
    throw invalidModel(`${what} claims ${entry.bytes} bytes, the limit is ${maxBytes}`);
  }
  const view = viewOf(bytes);
  const isHeader =
    entry.offset + fileHeader.bytes <= bytes.length &&
    view.getUint32(entry.offset, true) === fileHeader.signature;
  if (!isHeader) throw invalidModel(`${what} does not begin where the directory says`);
  const names = view.getUint16(entry.offset + 26, true) + view.getUint16(entry.offset + 28, true);
  const start = entry.offset + fileHeader.bytes + names;
  if (start + entry.storedBytes > bytes.length) throw invalidModel(`${what} is cut short`);
  const data = bytes.subarray(start, start + entry.storedBytes);
  const content = entry.method === stored ? data : await inflate(what, data, entry.bytes);
  if (content.length !== entry.bytes || crc32(content) !== entry.crc) {
    throw invalidModel(`${what} is damaged: its checksum or length is not what the directory says`);
  }
  return content;
}

/** Stops at the first byte beyond what the directory claims. */
async function inflate(
  what: string,
  data: Uint8Array<ArrayBuffer>,
  claimed: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const content = new Uint8Array(claimed);
  let filled = 0;
  const reader = new Blob([data]).stream().pipeThrough(new DecompressionStream("deflate-raw")).getReader();
  try {
    for (let read = await reader.read(); !read.done; read = await reader.read()) {
      if (filled + read.value.length > claimed) {
        throw invalidModel(`${what} claims ${claimed} bytes and has more`);
      }
      content.set(read.value, filled);
      filled += read.value.length;
    }
  } catch (cause) {
    if (cause instanceof EmbedError) throw cause;
    throw invalidModel(`${what} is damaged: it cannot be inflated`, cause);
  } finally {
    // Ends the inflating where it was left early; after an error it says that error again.
    await reader.cancel().catch(() => undefined);
  }
  return content.subarray(0, filled);
}

function findDirectoryEnd(view: DataView): number {
  const last = view.byteLength - directoryEnd.bytes;
  for (let at = last; at >= Math.max(0, last - maxCommentBytes); at--) {
    if (view.getUint32(at, true) === directoryEnd.signature) return at;
  }
  throw invalidModel("zip archive: its directory is missing; the file may be cut short");
}

function checkEntry(
  { name, method, storedBytes, bytes, offset }: ZipEntry,
  flags: number,
  end: number,
): void {
  const what = `zip archive: ${JSON.stringify(name)}`;
  const isInside = !/^[/\\]|^[a-z]:|(^|[/\\])\.\.([/\\]|$)|\0/i.test(name);
  if (!isInside) throw invalidModel(`${what} leads out of the archive`);
  if (flags & 1) throw invalidModel(`${what} is encrypted`);
  if (method !== stored && method !== deflated) {
    throw invalidModel(`${what}: expected method 0 (stored) or 8 (deflated), got ${method}`);
  }
  if (offset + fileHeader.bytes + storedBytes > end || (method === stored && storedBytes !== bytes)) {
    throw invalidModel(`${what} claims ${storedBytes} bytes, more than the archive has for it`);
  }
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
