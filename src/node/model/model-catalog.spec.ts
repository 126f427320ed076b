import { expect, test } from "vitest";
import { EmbedError } from "../../errors.ts";
import { findModelManifest, listModelNames } from "./model-catalog.ts";

test("every manifest that ships is sound", async () => {
  const names = await listModelNames();
  expect(names).toContain("resnet50");
  for (const name of names) expect((await findModelManifest(name)).name).toBe(name);
});

test("the identity of ResNet50 is the one that the contract asks for", async () => {
  const manifest = await findModelManifest("resnet50");
  expect(manifest.identity).toEqual({
    name: "resnet50_encoder",
    type: "encoder",
    input: "image",
    output: "vector",
    dimension: 2048,
    metricType: "L2",
  });
});

test.each(["vgg99", "../../package.json", ""])("an unknown name: %s", async (name) => {
  const error = await findModelManifest(name).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(EmbedError);
  expect((error as EmbedError).reason).toBe("MODEL_UNKNOWN");
  const known = (await listModelNames()).join(", ");
  expect((error as EmbedError).message).toBe(`there is no model "${name}"; known models: ${known}`);
});
