import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { grpcurlPath, requireTool } from "../require-tool.ts";
import { type PorticoProcess, startPortico } from "../start-portico.ts";

/**
 * Runs the README's own snippets, those under a comment `test: KIND`, against a real server. Only the port
 * differs from what a reader pastes.
 */

const root = fileURLToPath(new URL("../../", import.meta.url));
const work = join(root, "output/readme");
const readme = readFileSync(join(root, "README.md"), "utf8");
const snippets = [...readme.matchAll(/<!-- test: (\w+)(?: needs (\w+))? -->\n```\w+\n([\s\S]*?)```/g)].map(
  ([, kind, needs, code], index) => ({
    index,
    kind,
    needs,
    code: code as string,
    title: (code as string).trim().split("\n").at(-1),
  }),
);

let server: PorticoProcess;
beforeAll(async () => {
  rmSync(work, { recursive: true, force: true });
  mkdirSync(work, { recursive: true });
  server = await startPortico();
});
afterAll(() => server?.stop());

test("the README has snippets for every client that it promises", () => {
  expect(snippets.map(({ kind, needs }) => needs ?? kind)).toEqual([
    "sh",
    "sh",
    "grpcurl",
    "sh",
    "python3",
    "typescript",
  ]);
});

test.each(snippets)("snippet $index: $title", (snippet, context) => {
  const code = snippet.code.replaceAll("127.0.0.1:52001", server.address);
  const path = [process.env.PATH];
  if (snippet.needs === "grpcurl") path.unshift(join(grpcurlPath(context), ".."));
  const [program, args] = prepare(snippet.kind as string, code, context);
  const { status, stdout, stderr } = spawnSync(program, args, {
    cwd: root,
    env: { ...process.env, PATH: path.join(":"), PYTHONPATH: join(work, "python") },
    encoding: "utf8",
    maxBuffer: 2 ** 24,
  });
  expect({ status, stderr: status === 0 ? "" : stderr }).toEqual({ status: 0, stderr: "" });
  expectReply(stdout, code);
});

type TestContext = Parameters<typeof requireTool>[1];

function prepare(kind: string, code: string, context: TestContext): [string, string[]] {
  if (kind === "sh") return ["bash", ["-euo", "pipefail", "-c", code]];
  if (kind === "typescript") {
    // A reader's file lies in the root of the repository.
    const file = join(root, "output/readme/client.ts");
    writeFileSync(file, code.replaceAll('"./src/', '"../../src/'));
    return ["node", [file]];
  }
  requireTool("python3", context);
  const file = join(work, "client.py");
  writeFileSync(file, code);
  return [preparePython(), [file]];
}

/** A virtual environment with grpcio, kept between runs, and the stubs that the README's command writes. */
function preparePython(): string {
  const environment = join(root, "node_modules/.cache/portico/python-grpc");
  const python = join(environment, "bin/python3");
  if (!existsSync(join(environment, "complete"))) {
    execFileSync("python3", ["-m", "venv", environment]);
    execFileSync(python, ["-m", "pip", "install", "--quiet", "grpcio==1.76.0", "grpcio-tools==1.76.0"]);
    writeFileSync(join(environment, "complete"), "");
  }
  const out = join(work, "python");
  mkdirSync(out, { recursive: true });
  const command = [
    "-m",
    "grpc_tools.protoc",
    "-I",
    "proto",
    `--python_out=${out}`,
    `--grpc_python_out=${out}`,
  ];
  execFileSync(python, [...command, "omnisearch/operator.proto"], { cwd: root });
  return python;
}

function expectReply(stdout: string, code: string): void {
  if (code.includes("/Identity"))
    expect(JSON.parse(stdout)).toMatchObject({ name: "resnet50_encoder", dimension: "2048" });
  else if (code.includes("print(") || code.includes("console.log")) expect(stdout).toMatch(/^1n? 2048\n$/);
  else {
    const json = stdout.slice(
      stdout.indexOf('{\n  "nums"') >= 0 ? stdout.indexOf('{\n  "nums"') : stdout.indexOf('{"nums"'),
    );
    const reply = JSON.parse(json) as { nums: string; vectors: { element: number[] }[] };
    expect(reply.nums).toBe("1");
    expect(reply.vectors.map(({ element }) => element.length)).toEqual([2048]);
    if (code.includes("grpcurl")) expect(stdout).toContain('"status": "SERVING"');
  }
}
