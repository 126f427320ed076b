import { describe, expect, test } from "vitest";
import { EmbedError } from "../../errors.ts";
import { readTfjsLayers } from "./read-tfjs-layers.ts";

const layer = { class_name: "Dense", name: "dense", config: {}, inbound_nodes: [] };
const topology = { model_config: { class_name: "Functional", config: { name: "net", layers: [layer] } } };
const bias = { name: "dense/bias", shape: [2], dtype: "float32" };
const kernel = { name: "dense/kernel", shape: [1, 2], dtype: "float32" };

function modelJson(weights: unknown[], paths: unknown = ["a.bin", "b.bin"]) {
  return { format: "layers-model", modelTopology: topology, weightsManifest: [{ paths, weights }] };
}

/** 16 bytes in two shards, cut inside a float. */
const bytes = new Uint8Array(Float32Array.of(1, 2, 3, 4).buffer);
const shards = new Map([
  ["a.bin", bytes.subarray(0, 6)],
  ["b.bin", bytes.subarray(6)],
]);
const readShard = async (path: string) => shards.get(path)!;

test("weights lie one after another, across shards", async () => {
  const { weights } = await readTfjsLayers(modelJson([bias, kernel]), readShard);
  expect([...weights]).toEqual([
    ["dense/bias", { shape: [2], data: Float32Array.of(1, 2) }],
    ["dense/kernel", { shape: [1, 2], data: Float32Array.of(3, 4) }],
  ]);
});

test("a shard that is listed a thousand times is read until there is too much", async () => {
  const paths = Array.from({ length: 1000 }, () => "a.bin");
  let reads = 0;
  const read = async (path: string) => {
    reads++;
    return readShard(path);
  };
  await expect(readTfjsLayers(modelJson([bias], paths), read)).rejects.toThrow(
    new EmbedError("CONVERT_INVALID", "model.json: weights take 8 bytes, the shards hold 12, or more"),
  );
  expect(reads).toBe(2);
});

describe("a broken file is refused", () => {
  test.each<[string, unknown, string]>([
    ["no object", [], 'model.json: expected format "layers-model", got []'],
    [
      "a graph model",
      { format: "graph-model" },
      'model.json: expected format "layers-model", got "graph-model"',
    ],
    [
      "no weights manifest",
      { ...modelJson([]), weightsManifest: undefined },
      "model.json: has a topology and no weightsManifest; expected the model as TensorFlow.js saves it, with its weights",
    ],
    [
      "a weights manifest that is no list",
      { ...modelJson([]), weightsManifest: {} },
      "model.json: expected a weightsManifest list, got {}",
    ],
    ...[topology, topology.model_config].map((json): [string, unknown, string] => [
      `a bare topology: ${Object.keys(json)[0]}`,
      json,
      "holds a topology alone, as model.to_json() returns it; import the .h5 with its weights, and give this file as --topology",
    ]),
    [
      "paths that are no list",
      modelJson([], "a.bin"),
      'model.json: expected a weight group with paths and weights, got {"paths":"a.bin","weights":[]}',
    ],
    [
      "a weight without a shape",
      modelJson([{ name: "x" }]),
      'model.json: expected a weight with name and shape, got {"name":"x"}',
    ],
    [
      "a negative shape",
      modelJson([{ ...bias, shape: [-1] }]),
      'model.json: expected a weight with name and shape, got {"name":"dense/bias","shape":[-1],"dtype":"float32"}',
    ],
    [
      "whole numbers",
      modelJson([{ ...bias, dtype: "int32" }]),
      'model.json: weight "dense/bias": expected dtype "float32", got "int32"',
    ],
    [
      "quantised weights",
      modelJson([{ ...bias, quantization: { dtype: "uint8" } }]),
      'model.json: weight "dense/bias": expected dtype "float32", got a quantised tensor',
    ],
    [
      "a weight of no layer",
      modelJson([{ ...bias, name: "gone/bias" }, kernel]),
      'model.json: weight "gone/bias": the topology has no layer "gone"',
    ],
    ...["../b.bin", "/b.bin", "a/../../b.bin", "C:b.bin", "a\\b.bin", "http://host/b.bin", ""].map(
      (path): [string, unknown, string] => [
        `a shard at ${path}`,
        modelJson([bias], [path]),
        `model.json: expected paths of files beside it, got ${JSON.stringify(path)}`,
      ],
    ),
    ["a weight twice", modelJson([bias, bias]), 'model.json: weight "dense/bias" is listed twice'],
    [
      "too few bytes",
      modelJson([bias, kernel], ["a.bin"]),
      "model.json: weights take 16 bytes, the shards hold 6",
    ],
    ["too many bytes", modelJson([bias]), "model.json: weights take 8 bytes, the shards hold 16"],
    [
      "a claim of many gigabytes",
      modelJson([{ ...bias, shape: [1_000_000, 1_000_000] }]),
      "model.json: weights take 4000000000000 bytes, the shards hold 16",
    ],
  ])("%s", async (_what, json, message) => {
    const error = await readTfjsLayers(json, readShard).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(EmbedError);
    expect((error as EmbedError).reason).toBe("CONVERT_INVALID");
    expect((error as EmbedError).message).toBe(message);
  });
});
