import { createHash } from "node:crypto";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { EmbedError } from "../../errors.ts";
import { modelFile } from "./model-cache.ts";
import { findModelManifest } from "./model-catalog.ts";
import { readModel } from "./read-model.ts";

// Any bytes will do: nothing is read out of them but their hash. Two chunks and a piece.
const bytes = new Uint8Array((16 << 20) + 7).map((_, i) => i % 251);
const resnet = await findModelManifest("resnet50");
const sha256 = createHash("sha256").update(bytes).digest("hex");
const manifest = { ...resnet, onnx: { bytes: bytes.length, sha256 } };
const { npm_lifecycle_event: startedBy } = process.env;

let work: string;

beforeAll(async () => {
  work = await mkdtemp(join(tmpdir(), "portico-read-"));
});

afterEach(() => {
  if (startedBy === undefined) delete process.env.npm_lifecycle_event;
  else process.env.npm_lifecycle_event = startedBy;
});

afterAll(() => rm(work, { recursive: true, force: true }));

async function place(cacheDir: string, content: Uint8Array): Promise<string> {
  const file = modelFile(cacheDir, manifest);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, content);
  return file;
}

async function failure(reading: Promise<unknown>) {
  const error = await reading.catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(EmbedError);
  const { reason, message } = error as EmbedError;
  return { reason, message };
}

test("it comes whole, in memory that can be moved to a thread", async () => {
  const read = await readModel(await place(work, bytes), manifest);
  expect(read.buffer).toBeInstanceOf(ArrayBuffer);
  expect(Buffer.compare(read, bytes)).toBe(0);
});

test.each([
  [undefined, "plain", "portico", (dir: string) => dir],
  ["start", "plain", "npm run portico --", (dir: string) => dir],
  [undefined, "ada's own", "portico", (dir: string) => `'${dir.replace("'", "'\\''")}'`],
])(
  "a changed byte is found; started by npm %s in %s, the hint mends this cache",
  async (event, name, command, quote) => {
    if (event === undefined) delete process.env.npm_lifecycle_event;
    else process.env.npm_lifecycle_event = event;
    const cacheDir = join(work, name);
    const changed = bytes.with(9 << 20, 255);
    const file = await place(cacheDir, changed);
    const got = createHash("sha256").update(changed).digest("hex");
    expect(await failure(readModel(file, manifest))).toEqual({
      reason: "MODEL_CORRUPT",
      message: `${file}: expected sha256 ${sha256}, got ${got}; mend it with: ${command} prepare resnet50 --cache ${quote(cacheDir)} --force`,
    });
  },
);

test("a file that ends too early", async () => {
  const file = await place(join(work, "short"), bytes.subarray(0, 1000));
  expect((await failure(readModel(file, manifest))).reason).toBe("MODEL_CORRUPT");
});

test("a missing file", async () => {
  expect(await failure(readModel("/no/such/model.onnx", manifest))).toEqual({
    reason: "MODEL_UNREACHABLE",
    message:
      "/no/such/model.onnx cannot be read: ENOENT: no such file or directory, open '/no/such/model.onnx'",
  });
});
