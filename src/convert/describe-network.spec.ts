import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { convert, type LayerJson } from "../../tools/keras-layers.ts";

interface Net {
  readonly names?: readonly [string, string, string];
  readonly activation?: string;
  readonly scale?: number;
  readonly weight?: number;
}

/** A picture is scaled, flattened and weighed. */
function networkOf({
  names = ["in", "flat", "dense"],
  activation = "relu",
  scale = 1,
  weight = 1,
}: Net): string {
  const [source, flat, dense] = names;
  const layers: LayerJson[] = [
    ["InputLayer", source, { batch_input_shape: [null, 40, 60, 3] }],
    ["Rescaling", `${source}_scaled`, { scale, offset: 0 }, source],
    ["Flatten", flat, {}, `${source}_scaled`],
    ["Dense", dense, { units: 2, activation, use_bias: true }, flat],
  ];
  const weights = {
    [`${dense}/kernel`]: { shape: [7200, 2], data: new Float32Array(14_400).fill(weight) },
    [`${dense}/bias`]: { shape: [2], data: new Float32Array(2) },
  };
  return convert(layers, weights, [40, 60, 3]).network;
}

const network = networkOf({});

test.each<[string, Net, boolean]>([
  ["other names of layers", { names: ["input_1", "flatten_3", "dense_7"] }, true],
  ["other weights, which the fingerprint has already", { weight: 2 }, true],
  ["another activation", { activation: "tanh" }, false],
  ["another scale", { scale: 1 / 255 }, false],
])("%s", (_, net, isSame) => {
  expect(networkOf(net) === network).toBe(isSame);
});

test("a later version describes it alike: fingerprints of indices that exist depend on it", () => {
  expect(createHash("sha256").update(network).digest("hex")).toBe(
    "591db9d3a438864c97c0c514c6eb19852183778c65141c3a7b96a07a5f3d10b2",
  );
});
