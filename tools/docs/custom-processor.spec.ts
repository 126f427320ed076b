import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { decodePng } from "../../src/image/decode-png.ts";
import { freePort } from "../loopback-port.ts";
import { readPageBlocks } from "./page-blocks.ts";

/**
 * Does what docs/custom-processor.md says, block by block, in a folder that looks like the repository and is thrown away. Only
 * the ports differ from what a reader pastes.
 */

const root = fileURLToPath(new URL("../../", import.meta.url));
const blocks = readPageBlocks("docs/custom-processor.md");
const work = mkdtempSync(join(tmpdir(), "portico-custom-processor-"));
const servers: ChildProcess[] = [];
let ports: ReadonlyMap<string, number>;

beforeAll(async () => {
  for (const name of [
    "package.json",
    "src",
    "tools",
    "models",
    "conformance",
    "fixtures",
    "proto",
    "node_modules",
  ]) {
    symlinkSync(join(root, name), join(work, name));
  }
  const wanted = ["52001", "52002", "52080"];
  ports = new Map(await Promise.all(wanted.map(async (port) => [port, await freePort()] as const)));
});
afterAll(async () => {
  for (const server of servers) await stop(server);
  rmSync(work, { recursive: true });
});

async function stop(server: ChildProcess): Promise<void> {
  if (server.exitCode !== null || server.signalCode !== null) return;
  const ended = once(server, "exit");
  // npm starts it in a process of its own; the group has both.
  process.kill(-(server.pid as number), "SIGTERM");
  await ended;
}

/** As a reader would paste it. A server without an address takes the default one, which a test may not. */
function command(code: string): string {
  const listening = code.includes(" serve ") && !code.includes("--listen") ? "--listen 127.0.0.1:52001" : "";
  const text = code.trim() + (listening && ` ${listening}`);
  return text.replaceAll(/127\.0\.0\.1:(\d+)/g, (_, port: string) => `127.0.0.1:${ports.get(port)}`);
}

/** Of bash: a command that fails in the middle of a pipe is a failure too. */
const shell = ["-euo", "pipefail", "-c"];

async function serve(code: string): Promise<ChildProcess> {
  const server = spawn("bash", [...shell, command(code)], {
    ...{ cwd: work, detached: true },
    stdio: ["ignore", "pipe", "inherit"],
  });
  servers.push(server);
  const ready = Promise.withResolvers<void>();
  createInterface(server.stdout).on("line", (line) => {
    if (line.includes('"msg":"ready"')) ready.resolve();
  });
  server.once("exit", (code) => ready.reject(new Error(`the server ended with exit code ${code}`)));
  await ready.promise;
  return server;
}

const run = (code: string) =>
  execFileSync("bash", [...shell, command(code)], { cwd: work, encoding: "utf8", maxBuffer: 2 ** 24 });

const made = () => new Uint8Array(readFileSync(join(work, "centre.png")));
const shellBlocks = () => blocks.filter(({ kind }) => kind === "sh");

test("the page has its blocks in this order", () => {
  expect(blocks.map(({ kind, name }) => `${kind} ${name}`.trim())).toEqual([
    "preview",
    "file centre.ts",
    "serve",
    "sh",
    "sh",
    "sh",
    "serve",
    "sh",
  ]);
});

test("its code compiles", () => {
  const { name, code } = blocks[1]!;
  writeFileSync(join(work, name), code);
  const compilerOptions = {
    // The package exports these types; its own test compiles against them (tools/package/app/types.ts).
    paths: { portico: [join(root, "src/embed/processor.ts")] },
    ...{
      types: ["node"],
      typeRoots: [join(root, "node_modules/@types")],
      lib: ["ES2024", "ESNext.TypedArrays", "DOM"],
    },
    noEmit: true,
  };
  const config = {
    extends: join(root, "tsconfig.base.json"),
    compilerOptions,
    files: [name],
  };
  writeFileSync(join(work, "tsconfig.json"), JSON.stringify(config));
  // What it finds is on stdout, which an error of `run` would not show.
  expect(run("npx tsc -p tsconfig.json || true")).toBe("");
});

test("the processor that is built in is served", async () => {
  await stop(await serve(blocks[0]!.code));
});

test("its server gives the middle of a photograph", async () => {
  await serve(blocks.find(({ kind }) => kind === "serve")!.code);
  const [call, write] = shellBlocks();
  run(call!.code);
  run(write!.code);
  const { width, height } = decodePng(made());
  expect([width, height]).toEqual([510, 510]);
});

test("it passes the contract", () => {
  expect(run(shellBlocks()[2]!.code)).toMatch(/\n\d+ passed, 0 failed, 0 skipped\n$/);
});

test("an encoder takes what it made", async () => {
  await serve(blocks.filter(({ kind }) => kind === "serve")[1]!.code);
  run(shellBlocks()[3]!.code);
  const reply = JSON.parse(readFileSync(join(work, "vector.json"), "utf8")) as {
    vectors: { element: number[] }[];
  };
  expect(reply.vectors.map(({ element }) => element.length)).toEqual([2048]);
});
