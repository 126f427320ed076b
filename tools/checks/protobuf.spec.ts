import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, test } from "vitest";

const root = fileURLToPath(new URL("../../", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "portico-buf-"));
afterAll(() => rmSync(folder, { recursive: true }));

function buf(args: readonly string[], cwd = root) {
  const { status, stdout, stderr } = spawnSync(join(root, "node_modules/.bin/buf"), args, {
    cwd,
    encoding: "utf8",
  });
  return { status, output: stdout + stderr };
}

/** Messages and services of one definition, without the file's own name. */
function describeContract(input: readonly string[]): unknown {
  const { output } = buf(["build", ...input, "--exclude-source-info", "--output", "-#format=json"]);
  const image = JSON.parse(output) as { file: { package: string; messageType: unknown; service: unknown }[] };
  return image.file.map(({ package: name, messageType, service }) => ({ name, messageType, service }));
}

test("src/gen is what buf generate writes", () => {
  const fresh = join(folder, "gen");
  execFileSync(join(root, "node_modules/.bin/buf"), ["generate", "--output", fresh], { cwd: root });
  expect(readTree(join(fresh, "src/gen"))).toEqual(readTree(join(root, "src/gen")));
});

function readTree(path: string): Record<string, string> {
  const files = readdirSync(path, { recursive: true, encoding: "utf8" }).filter((file) =>
    file.endsWith(".ts"),
  );
  return Object.fromEntries(files.sort().map((file) => [file, readFileSync(join(path, file), "utf8")]));
}

describe("the contract against Phantoscope's", () => {
  const baseline = join(root, "fixtures/contract/phantoscope.binpb");

  test("is wire-compatible", () => {
    expect(buf(["breaking", "--against", baseline])).toEqual({ status: 0, output: "" });
  });

  // The rules of buf say nothing about a method that is gone, so the whole descriptor is compared too.
  test("has the same services and messages", () => {
    const ours = describeContract(["proto", "--path", "proto/omnisearch"]);
    expect(ours).toEqual(describeContract([baseline]));
    expect(JSON.stringify(ours)).toContain('"Healthy"');
  });

  test.each([
    {
      change: "another number",
      from: "repeated string datas = 2;",
      to: "repeated string datas = 3;",
      message:
        'Previously present field "2" with name "datas" on message "ExecuteRequest" was deleted without reserving the number "2".',
    },
    {
      change: "another name",
      from: "string metricType = 7;",
      to: "string metric_type = 7;",
      message: 'Field "7" on message "IdentityReply" changed name from "metricType" to "metric_type".',
    },
    {
      change: "another type",
      from: "int64 nums = 1;",
      to: "string nums = 1;",
      message: 'Field "1" with name "nums" on message "ExecuteReply" changed type from "int64" to "string".',
    },
  ])("$change is found", ({ change, from, to, message }) => {
    const copy = join(folder, change.replaceAll(" ", "-"));
    cpSync(join(root, "proto"), join(copy, "proto"), { recursive: true });
    cpSync(join(root, "buf.yaml"), join(copy, "buf.yaml"));
    const file = join(copy, "proto/omnisearch/operator.proto");
    const text = readFileSync(file, "utf8");
    expect(text).toContain(from);
    writeFileSync(file, text.replace(from, to));
    const { status, output } = buf(["breaking", "--against", baseline], copy);
    expect(status).toBe(100);
    expect(output).toContain(message);
  });
});
