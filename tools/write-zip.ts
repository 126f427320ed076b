import { crc32, deflateRawSync } from "node:zlib";

/** A file for an archive; the last four make a damaged one. */
export interface ZipFile {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly deflate?: boolean;
  readonly method?: number;
  readonly flags?: number;
  /** Claims to have so many bytes. */
  readonly claims?: number;
  readonly crc?: number;
}

/** Writes a ZIP archive (PKWARE's APPNOTE, 4.3), with whatever the directory of it is told to claim. */
export function writeZip(files: readonly ZipFile[]): Uint8Array<ArrayBuffer> {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const file of files) {
    const name = Buffer.from(file.name);
    const data = file.deflate ? deflateRawSync(file.bytes) : Buffer.from(file.bytes);
    const fields = Buffer.alloc(26);
    fields.writeUInt16LE(20, 0);
    fields.writeUInt16LE(file.flags ?? 0, 2);
    fields.writeUInt16LE(file.method ?? (file.deflate ? 8 : 0), 4);
    fields.writeUInt32LE(file.crc ?? crc32(file.bytes), 10);
    fields.writeUInt32LE(data.length, 14);
    fields.writeUInt32LE(file.claims ?? file.bytes.length, 18);
    fields.writeUInt16LE(name.length, 22);
    const header = Buffer.concat([Buffer.from("PK\x03\x04"), fields, name, data]);
    const place = Buffer.alloc(14);
    place.writeUInt32LE(offset, 10);
    directory.push(Buffer.concat([Buffer.from("PK\x01\x02\x14\0"), fields, place, name]));
    parts.push(header);
    offset += header.length;
  }
  const end = Buffer.alloc(18);
  const directoryBytes = Buffer.concat(directory);
  end.writeUInt16LE(files.length, 4);
  end.writeUInt16LE(files.length, 6);
  end.writeUInt32LE(directoryBytes.length, 8);
  end.writeUInt32LE(offset, 12);
  return new Uint8Array(Buffer.concat([...parts, directoryBytes, Buffer.from("PK\x05\x06"), end]));
}
