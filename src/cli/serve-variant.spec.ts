import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { runPortico } from "../../tools/run-portico.ts";
import { type PorticoProcess, startPortico } from "../../tools/start-portico.ts";
import { findModelManifest, findModelVariant } from "../node/model/model-catalog.ts";
import { prepareModel } from "../node/model/model-store.ts";

const { identity, fingerprint } = await findModelManifest("resnet50");
const int8 = await findModelVariant("resnet50", "int8");

let server: PorticoProcess;

beforeAll(async () => {
  await prepareModel(int8);
  server = await startPortico({ args: ["--variant", "int8", "--workers", "1"] });
});
afterAll(() => server.stop("SIGKILL"));

async function call(method: string, message: object) {
  const reply = await fetch(`http://${server.address}/${method}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(message),
  });
  return {
    space: reply.headers.get("portico-vector-space"),
    body: (await reply.json()) as Record<string, unknown>,
  };
}

describe("a server of the variant int8", () => {
  test("names its own vector space wherever vectors are carried or described", async () => {
    expect(int8.fingerprint).not.toBe(fingerprint);
    const data = await readFile(new URL("../../fixtures/images/jpeg/grey.jpg", import.meta.url), "base64");
    for (const [method, message] of [
      ["omnisearch.Operator/Identity", {}],
      ["omnisearch.Operator/Execute", { datas: [data] }],
      ["portico.v1.EmbeddingService/Embed", { images: [{ data }] }],
      ["portico.v1.EmbeddingService/GetModel", {}],
      ["portico.v1.EmbeddingService/ListModels", {}],
    ] as const) {
      expect((await call(method, message)).space, method).toBe(int8.fingerprint);
    }
    const { body } = await call("portico.v1.EmbeddingService/Embed", { images: [{ data }] });
    expect(body.vectorSpace).toBe(int8.fingerprint);
  });

  test("tells its precision, and an engine that can", async () => {
    const { body } = await call("portico.v1.EmbeddingService/GetModel", {});
    expect(body.model).toMatchObject({ name: "resnet50", precision: "int8", vectorSpace: int8.fingerprint });
    expect((body.model as { engine: string }).engine).not.toBe("simd");
    expect(server.log.find(({ msg }) => msg === "ready")).toMatchObject({
      model: "resnet50",
      variant: "int8",
    });
  });

  test("keeps the contract's Identity", async () => {
    const { body } = await call("omnisearch.Operator/Identity", {});
    expect(body).toEqual({ ...identity, dimension: "2048", endpoint: server.address });
  });
});

test("verify holds a variant to what its manifest states, and says so", async () => {
  const args = [
    "verify",
    "--variant",
    "fp16",
    "--engine",
    "simd",
    "--workers",
    "1",
    "--only",
    "photo/allium",
  ];
  const { code, stdout } = await runPortico(args);
  expect(stdout).toMatch(/^resnet50 fp16 on simd, against real Keras\n/);
  expect(stdout).toMatch(
    /\n1 passed, 0 differ, 0 failed; largest error 1\.3\de-4, smallest cosine 0\.9999998\n$/,
  );
  expect(code).toBe(0);
});

test("an engine that cannot run a variant is named with why", async () => {
  const { code, stderr } = await runPortico([
    "verify",
    "--variant",
    "int8",
    "--engine",
    "simd",
    "--only",
    "photo/allium",
  ]);
  expect(stderr).toContain("a quantised model needs another engine, such as ort-wasm");
  expect(code).toBe(1);
});
