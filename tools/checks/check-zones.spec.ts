import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, expect, test } from "vitest";
import { checkZones } from "./check-zones.ts";

const folder = mkdtempSync(join(tmpdir(), "portico-zones-"));
afterAll(() => rmSync(folder, { recursive: true }));

test("src obeys the zones and the import order", () => {
  expect(checkZones(fileURLToPath(new URL("../../src", import.meta.url)))).toEqual([]);
});

test.each([
  {
    path: "image/a.ts",
    text: 'import { x } from "../preprocess/b.ts";',
    problem: "src/image/a.ts: image must not import preprocess (../preprocess/b.ts)",
  },
  {
    path: "errors.ts",
    text: 'export * from "./image/a.ts";',
    problem: "src/errors.ts: errors must not import image (./image/a.ts)",
  },
  {
    path: "embed/a.ts",
    text: 'import { readFile } from "node:fs/promises";',
    problem: "src/embed/a.ts: node:fs/promises is not on the core's list of libraries",
  },
  {
    path: "embed/a.ts",
    text: 'const fs = await import("node:fs");',
    problem: "src/embed/a.ts: node:fs is not on the core's list of libraries",
  },
  {
    path: "web/a.ts",
    text: 'import "node:fs";',
    problem: "src/web/a.ts: the browser zone must not import node:fs",
  },
  {
    path: "web/page/a.tsx",
    text: 'import { serve } from "../../node/serve.ts";',
    problem: "src/web/page/a.tsx: web must not import node (../../node/serve.ts)",
  },
  {
    path: "client/a.ts",
    text: 'import { Agent } from "undici";',
    problem: "src/client/a.ts: undici is not on the core's list of libraries",
  },
  {
    path: "client/a.ts",
    text: 'import { embed } from "../embed/pipeline.ts";',
    problem: "src/client/a.ts: client must not import embed (../embed/pipeline.ts)",
  },
  {
    path: "conformance/a.ts",
    text: 'import { serve } from "../node/serve.ts";',
    problem: "src/conformance/a.ts: conformance must not import node (../node/serve.ts)",
  },
  {
    path: "service/a.ts",
    text: 'import { check } from "../../tools/checks/zones.ts";',
    problem: "src/service/a.ts: imports ../../tools/checks/zones.ts, which is outside src",
  },
  { path: "utils/a.ts", text: "", problem: 'src/utils/a.ts: "utils" is no zone of tools/checks/zones.ts' },
])("finds: $problem", ({ path, text, problem }) => {
  const file = join(folder, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
  expect(checkZones(folder)).toEqual([problem]);
  rmSync(file);
});

test.each(["embed", "web"])("tests in src/%s may import what they like", (zone) => {
  const file = join(folder, zone, "a.spec.ts");
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, 'import "node:fs";\nimport { serve } from "../node/serve.ts";\n');
  expect(checkZones(folder)).toEqual([]);
  rmSync(file);
});
