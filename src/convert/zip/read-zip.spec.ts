import { describe, expect, test } from "vitest";
import { writeZip, type ZipFile } from "../../../tools/write-zip.ts";
import { EmbedError } from "../../errors.ts";
import { isZip, listZip, readZipEntry } from "./read-zip.ts";

const text = (value: string) => new TextEncoder().encode(value);
const hello: ZipFile = { name: "hello.txt", bytes: text("hello, hello, hello") };
const limit = 1000;

/** Reads the first entry. */
const read = (bytes: Uint8Array<ArrayBuffer>) => readZipEntry(bytes, [...listZip(bytes).values()][0]!, limit);

async function failure(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const error = await (async () => read(bytes))().catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(EmbedError);
  expect((error as EmbedError).reason).toBe("CONVERT_INVALID");
  return (error as EmbedError).message;
}

/** Some bytes from `at` on replaced. */
function patch(bytes: Uint8Array<ArrayBuffer>, at: number, ...values: number[]): Uint8Array<ArrayBuffer> {
  const changed = bytes.slice();
  changed.set(values, at < 0 ? bytes.length + at : at);
  return changed;
}

test.each([[false], [true]])("a file is what it was, deflated: %s", async (deflate) => {
  const bytes = writeZip([
    { ...hello, deflate },
    { name: "empty", bytes: new Uint8Array(0), deflate },
  ]);
  expect(isZip(bytes)).toBe(true);
  expect([...listZip(bytes).keys()]).toEqual(["hello.txt", "empty"]);
  expect(new TextDecoder().decode(await read(bytes))).toBe("hello, hello, hello");
  expect(await readZipEntry(bytes, listZip(bytes).get("empty")!, 0)).toEqual(new Uint8Array(0));
});

test("a comment behind the directory does no harm", async () => {
  const bytes = writeZip([hello]);
  expect((await read(new Uint8Array([...bytes, ...text("PK\x05 comment")]))).length).toBe(19);
});

describe("a damaged or hostile archive is refused", () => {
  const whole = writeZip([hello]);
  const directory = 30 + 9 + 19;
  test.each<[string, Uint8Array<ArrayBuffer>, string]>([
    [
      "without its end",
      whole.slice(0, -1),
      "zip archive: its directory is missing; the file may be cut short",
    ],
    [
      "of several disks",
      patch(whole, -18, 1),
      "zip archive: expected one disk and at most 1000 files, got 1",
    ],
    [
      "of too many files",
      patch(whole, -14, 0xff, 0xff, 0xff, 0xff),
      "zip archive: expected one disk and at most 1000 files, got 65535",
    ],
    ["a directory elsewhere", patch(whole, -6, 0xff), "zip archive: entry 0 of its directory is damaged"],
    [
      "a file elsewhere",
      patch(whole, directory + 42, 200),
      'zip archive: "hello.txt" claims 19 bytes, more than the archive has for it',
    ],
    [
      "a file without its header",
      patch(whole, 0, 0),
      'zip archive: "hello.txt" does not begin where the directory says',
    ],
    [
      "a file that was changed",
      patch(whole, 40, 0x45),
      'zip archive: "hello.txt" is damaged: its checksum or length is not what the directory says',
    ],
    [
      "a bomb",
      writeZip([{ ...hello, bytes: new Uint8Array(2 ** 20), deflate: true }]),
      'zip archive: "hello.txt" claims 1048576 bytes, the limit is 1000',
    ],
    [
      "a bomb that claims little",
      writeZip([{ ...hello, bytes: new Uint8Array(2 ** 20), deflate: true, claims: 900 }]),
      'zip archive: "hello.txt" claims 900 bytes and has more',
    ],
    [
      "less than it claims",
      writeZip([{ ...hello, deflate: true, claims: 900 }]),
      'zip archive: "hello.txt" is damaged: its checksum or length is not what the directory says',
    ],
    [
      "deflated data that are none",
      writeZip([{ name: "a", bytes: new Uint8Array(9).fill(0xff), method: 8 }]),
      'zip archive: "a" is damaged: it cannot be inflated',
    ],
    ["encrypted", writeZip([{ ...hello, flags: 1 }]), 'zip archive: "hello.txt" is encrypted'],
    [
      "another method",
      writeZip([{ ...hello, method: 93 }]),
      'zip archive: "hello.txt": expected method 0 (stored) or 8 (deflated), got 93',
    ],
    [
      "stored, with two lengths",
      writeZip([{ ...hello, claims: 18 }]),
      'zip archive: "hello.txt" claims 19 bytes, more than the archive has for it',
    ],
    ["a name twice", writeZip([hello, hello]), 'zip archive: "hello.txt" stands in it twice'],
    ...["../x", "a/../../x", "/x", "\\x", "a\\..\\x", "C:x", ".."].map(
      (name): [string, Uint8Array<ArrayBuffer>, string] => [
        `the name ${name}`,
        writeZip([{ ...hello, name }]),
        `zip archive: ${JSON.stringify(name)} leads out of the archive`,
      ],
    ),
  ])("%s", async (_what, bytes, message) => {
    expect(await failure(bytes)).toBe(message);
  });
});
