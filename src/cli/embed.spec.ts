import { spawn } from "node:child_process";
import { once } from "node:events";
import { cp, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { brokenOrtNativeWhy, writeBrokenOrtNative } from "../../tools/broken-ort-native.ts";
import { runPortico } from "../../tools/run-portico.ts";
import { compareVectors } from "../embed/compare-vectors.ts";
import { readVectorGolden } from "../node/model/vector-golden.ts";

const images = fileURLToPath(new URL("../../fixtures/images", import.meta.url));
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "portico-embed-"));
  await mkdir(join(folder, "photos/below/.hidden"), { recursive: true });
  await cp(join(images, "photo/locomotion-house-cat.jpg"), join(folder, "photos/b.jpg"));
  await writeFile(join(folder, "photos/c.jpg"), "no picture");
  await cp(join(images, "png/rgb-8bit.png"), join(folder, "photos/below/d.png"));
  await writeFile(join(folder, "photos/below/.hidden/e.png"), "");
});
afterAll(() => rm(folder, { recursive: true }));

async function expectVector(vector: ArrayLike<number>, image: string): Promise<void> {
  const golden = await readVectorGolden(image);
  const { maxAbsError } = compareVectors(Float32Array.from(vector), golden.vector);
  expect(maxAbsError).toBeLessThanOrEqual(golden.tolerance);
}

/** Rows of a NumPy file, read by its own rules. */
async function readNpy(path: string): Promise<Float32Array[]> {
  const bytes = await readFile(path);
  expect(bytes.subarray(0, 8).toString("latin1")).toBe("\x93NUMPY\x01\x00");
  const start = 10 + bytes.readUInt16LE(8);
  expect(start % 64).toBe(0);
  const header = bytes.subarray(10, start).toString("latin1");
  const shape = /^\{'descr': '<f4', 'fortran_order': False, 'shape': \((\d+), (\d+)\), \} *\n$/.exec(header);
  const [rows, columns] = [Number(shape?.[1]), Number(shape?.[2])];
  expect(bytes.length).toBe(start + rows * columns * 4);
  return Array.from({ length: rows }, (_, row) =>
    Float32Array.from({ length: columns }, (_, column) =>
      bytes.readFloatLE(start + (row * columns + column) * 4),
    ),
  );
}

const jsonLines = (text: string) =>
  text
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as { source: string; vector?: number[]; error?: { reason: string } });

describe("portico embed", () => {
  test("a folder to .npy: no row shifts where a file fails", async () => {
    const out = join(folder, "out.npy");
    const run = await runPortico(["embed", join(folder, "photos"), "--out", out]);
    expect(run.code).toBe(1);
    expect(run.stderr).toContain(`portico: ${join(folder, "photos/c.jpg")}: IMAGE_UNSUPPORTED: not an image`);
    expect(run.stderr).toContain("portico: 1 of 3 sources failed; the lines above say why\n");
    const [cat, png, failed, ...rest] = await readNpy(out);
    expect(rest).toEqual([]);
    const names = jsonLines(await readFile(`${out}.jsonl`, "utf8")).map(({ source }) =>
      source.slice(folder.length),
    );
    expect(names).toEqual(["/photos/b.jpg", "/photos/below/d.png", "/photos/c.jpg"]);
    await expectVector(cat as Float32Array, "photo/locomotion-house-cat.jpg");
    await expectVector(png as Float32Array, "png/rgb-8bit.png");
    expect((failed as Float32Array).every(Number.isNaN)).toBe(true);
    expect(await readdir(folder)).toEqual(["out.npy", "out.npy.jsonl", "photos"]);
  });

  test("files and URLs to JSON lines on stdout, in order", async () => {
    const photo = await readFile(join(images, "photo/allium-oreophilum.jpg"));
    const server = createServer((request, response) => {
      if (request.url === "/a.jpg") response.end(photo);
      else response.writeHead(404).end();
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    const host = `127.0.0.1:${typeof address === "object" && address ? address.port : 0}`;
    const sources = [
      `http://${host}/missing`,
      join(folder, "photos/b.jpg"),
      `http://${host}/a.jpg`,
      join(folder, "none\n\u001b[31m.jpg"),
    ];
    const run = await runPortico(["embed", ...sources, "--allow-hosts", host]);
    server.close();
    expect(run.code).toBe(1);
    const rows = jsonLines(run.stdout);
    expect(rows.map(({ source, error }) => ({ source, reason: error?.reason }))).toEqual([
      { source: sources[0], reason: "SOURCE_UNREACHABLE" },
      { source: sources[1], reason: undefined },
      { source: sources[2], reason: undefined },
      { source: sources[3], reason: "SOURCE_UNREACHABLE" },
    ]);
    await expectVector(rows[1]?.vector as number[], "photo/locomotion-house-cat.jpg");
    await expectVector(rows[2]?.vector as number[], "photo/allium-oreophilum.jpg");
    expect(run.stderr).toContain("HTTP status 404");
    expect(run.stderr).toContain(
      // In one line, and without what a terminal would obey.
      `portico: ${join(folder, "none [31m.jpg")}: SOURCE_UNREACHABLE: cannot read the file: ENOENT\n`,
    );
  });

  test.each([
    {
      name: "another ending",
      args: ["--out", "x.csv"],
      stderr: 'portico: --out: expected a path that ends in .npy or .jsonl, got "x.csv"\n',
    },
    {
      name: "a folder of that name",
      args: ["--out", "FOLDER/taken.npy"],
      stderr: expect.stringMatching(/^portico: --out: cannot write .*taken\.npy: it is a folder\n$/),
    },
    {
      name: "more workers than a machine holds",
      args: ["--workers", "9999999"],
      stderr: expect.stringMatching(/^portico: --workers: expected an integer from 1 to 64, got "9999999"\n/),
    },
    {
      name: "threads for the engine that has none",
      args: ["--engine", "simd", "--threads", "2"],
      stderr:
        "portico: expected --threads 1 with --engine simd, got --threads 2; --workers uses more cores\n",
    },
    {
      name: "more threads than an engine holds",
      args: ["--threads", "65"],
      stderr: expect.stringContaining('expected an integer from 1 to 64, got "65"'),
    },
    {
      name: "a time that no timer holds",
      args: ["--fetch-timeout-ms", "2147483648"],
      stderr: expect.stringContaining('expected an integer from 1 to 2147483647, got "2147483648"'),
    },
    {
      name: "a folder that is not there",
      args: ["--out", "/nowhere/x.npy"],
      stderr: expect.stringMatching(/^portico: --out: cannot write \/nowhere\/x\.npy: ENOENT/),
    },
  ])("refuses $name before it embeds anything", async ({ args, stderr }) => {
    await mkdir(join(folder, "taken.npy"), { recursive: true });
    const given = args.map((argument) => argument.replace("FOLDER", folder));
    const run = await runPortico(["embed", join(folder, "photos"), ...given]);
    await rm(join(folder, "taken.npy"), { recursive: true });
    expect(run).toMatchObject({ code: 2, stdout: "", stderr });
  });

  test.each(["x.npy", "x.jsonl"])("a signal leaves an older %s as it was, and nothing else", async (name) => {
    const out = join(folder, name);
    await writeFile(out, "older");
    const before = await readdir(folder);
    // A server that never answers holds the second picture.
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    const sources = [join(folder, "photos/b.jpg"), `http://${host}/a.jpg`];
    const portico = fileURLToPath(new URL("./portico.ts", import.meta.url));
    const flags = ["--out", out, "--allow-hosts", host, "--workers", "1"];
    const child = spawn(process.execPath, [portico, "embed", ...sources, ...flags], { stdio: "ignore" });
    const exited = once(child, "exit");
    await expect
      .poll(
        () =>
          stat(`${out}.partial`).then(
            ({ size }) => size,
            () => 0,
          ),
        { timeout: 20_000 },
      )
      .toBeGreaterThan(8_000);
    child.kill("SIGINT");
    await expect(exited).resolves.toEqual([130, null]);
    server.closeAllConnections();
    server.close();
    expect(await readdir(folder)).toEqual(before);
    expect(await readFile(out, "utf8")).toBe("older");
    await rm(out);
  });
});

describe("portico verify", () => {
  test.each([
    { args: [], engine: "simd" },
    { args: ["--engine", "auto"], engine: "simd" },
    { args: ["--engine", "simd"], engine: "simd" },
    { args: ["--engine", "ort-wasm"], engine: "ort-wasm" },
    // Which simd does not have.
    { args: ["--threads", "2"], engine: "ort-wasm" },
  ])("prints a table that names the engine, and succeeds: $args", async ({ args, engine }) => {
    const run = await runPortico(["verify", "--only", "photo/locomotion", "--workers", "1", ...args]);
    expect(run).toMatchObject({ code: 0, stderr: "" });
    const [title, , row, ...rest] = run.stdout.split("\n");
    expect(title).toBe(`resnet50 on ${engine}, against real Keras`);
    expect(row).toMatch(/^photo\/locomotion-house-cat\.jpg {2}ok +\d\.\d\de-\d+ {2}1\.0{9}$/);
    expect(rest).toEqual([
      expect.stringMatching(/^1 passed, 0 differ, 0 failed; largest error \d\.\d\de-\d+$/),
      "",
    ]);
  });

  test("says on stderr which engine was passed over", async () => {
    const env = { NODE_PATH: await writeBrokenOrtNative(folder) };
    const run = await runPortico(["verify", "--only", "photo/locomotion", "--workers", "1"], env);
    expect(run).toMatchObject({
      code: 0,
      stderr: `portico: an engine was passed over: ${brokenOrtNativeWhy}; next: simd\n`,
      stdout: expect.stringMatching(/^resnet50 on simd, against real Keras\n/),
    });
  });

  test("tells a picture without a vector from one that differs", async () => {
    // The self-check's photograph is smaller, this one is larger.
    const run = await runPortico(["verify", "--only", "nagasaki", "--max-pixels", "830000"]);
    expect(run.code).toBe(1);
    expect(run.stdout).toMatch(
      /\nphoto\/nagasaki-boats\.jpg {2}FAILED {3}IMAGE_TOO_LARGE: .*\n0 passed, 0 differ, 1 failed\n$/,
    );
    expect(run.stderr).toBe(
      "portico: 0 of 1 vectors differ from Keras's by more than their tolerance; 1 of 1 fixtures gave no vector\n",
    );
  });

  test("prints JSON", async () => {
    const run = await runPortico(["verify", "--only", "nagasaki", "--max-pixels", "830000", "--json"]);
    expect(JSON.parse(run.stdout)).toEqual([
      {
        image: "photo/nagasaki-boats.jpg",
        tolerance: 1e-6,
        error: { reason: "IMAGE_TOO_LARGE", message: expect.stringContaining("838656") },
      },
    ]);
  });

  test("names a part that no fixture has", async () => {
    const run = await runPortico(["verify", "--only", "nothing"]);
    expect(run).toMatchObject({
      code: 2,
      stderr: `portico: --only: expected a part of a fixture's path, got "nothing", which none has\n`,
    });
  });
});
