import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { requireGrpcurl } from "../require-grpcurl.ts";
import { requireTool } from "../require-tool.ts";
import { type PorticoProcess, startPortico } from "../start-portico.ts";
import { preparePython } from "./prepare-python.ts";

/**
 * Runs the README's own snippets, those under a comment `test: KIND`, against a real server. Only the port
 * differs from what a reader pastes.
 */

const root = fileURLToPath(new URL("../../", import.meta.url));
const work = join(root, "output/readme");
const readme = readFileSync(join(root, "README.md"), "utf8");
const pattern = /<!-- test: (\w+)(?: needs (\w+))? -->\n```\w+\n([\s\S]*?)```/g;
const snippets = [...readme.matchAll(pattern)].map((match, index) => {
  const [, kind = "", needs = "", code = ""] = match;
  return { index, kind, needs, code, title: code.trim().split("\n")[0] };
});

let server: PorticoProcess;
beforeAll(async () => {
  rmSync(work, { recursive: true, force: true });
  mkdirSync(work, { recursive: true });
  server = await startPortico();
});
afterAll(() => server?.stop());

test("the README has snippets for every client that it promises", () => {
  expect(snippets.map(({ kind, needs }) => needs || kind)).toEqual([
    "sh",
    "sh",
    "grpcurl",
    "sh",
    "python3",
    "typescript",
    "sh",
  ]);
});

for (const { index, title, kind, needs, code } of snippets) {
  // Looked for when tests are collected, so that a skip is counted as one.
  const tool = needs === "grpcurl" ? requireGrpcurl() : needs ? requireTool(needs) : "node";
  test.skipIf(tool === undefined)(`snippet ${index}: ${title}`, async () => {
    const snippet = code.replaceAll("127.0.0.1:52001", server.address);
    const [program, args] = await prepare(kind, snippet);
    const { status, stdout, stderr } = spawnSync(program, args, {
      cwd: root,
      env: {
        ...process.env,
        PATH: `${dirname(tool as string)}:${process.env.PATH}`,
        PYTHONPATH: join(work, "python"),
      },
      encoding: "utf8",
      maxBuffer: 2 ** 24,
    });
    expect({ status, stderr: status === 0 ? "" : stderr }).toEqual({ status: 0, stderr: "" });
    expectReply(stdout, code);
  });
}

/** Program and arguments that run a snippet as a reader would. */
async function prepare(kind: string, code: string): Promise<[string, string[]]> {
  if (kind === "sh") return ["bash", ["-euo", "pipefail", "-c", code]];
  if (kind === "typescript") {
    const file = join(work, "client.ts");
    // A reader's file lies in the root of the repository.
    writeFileSync(file, code.replaceAll('"./src/', '"../../src/'));
    return [process.execPath, [file]];
  }
  const file = join(work, "client.py");
  writeFileSync(file, code);
  return [await preparePython(join(work, "python")), [file]];
}

function expectReply(stdout: string, code: string): void {
  if (code.includes("/Identity")) {
    expect(JSON.parse(stdout)).toMatchObject({ name: "resnet50_encoder", dimension: "2048" });
    return;
  }
  if (code.includes("EmbeddingService")) {
    const { vectorSpace, results } = JSON.parse(stdout) as EmbedJson;
    expect(vectorSpace).toMatch(/^sha256:[0-9a-f]{64}$/);
    expect(results.map(({ embedding }) => embedding.vector.length)).toEqual([2048]);
    return;
  }
  if (code.includes("print(") || code.includes("console.log")) {
    expect(stdout).toMatch(/^1n? 2048\n$/);
    return;
  }
  if (code.includes("grpcurl")) {
    expect(stdout).toContain("omnisearch.Operator\n");
    expect(stdout).toContain('"status": "SERVING"');
  }
  const reply = JSON.parse(stdout.slice(stdout.search(/\{\s*"nums"/))) as ReplyJson;
  expect(reply.nums).toBe("1");
  expect(reply.vectors.map(({ element }) => element.length)).toEqual([2048]);
}

interface ReplyJson {
  readonly nums: string;
  readonly vectors: readonly { readonly element: readonly number[] }[];
}

interface EmbedJson {
  readonly vectorSpace: string;
  readonly results: readonly { readonly embedding: { readonly vector: readonly number[] } }[];
}
