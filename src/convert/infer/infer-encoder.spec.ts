import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { KerasLayer, KerasTopology } from "../keras-format/keras-model.ts";
import { readTopology } from "../keras-format/read-topology.ts";
import { type EncoderWishes, inferEncoder } from "./infer-encoder.ts";

/** Layers one after the other behind an input of this shape, with their classes. */
function chain(shape: unknown, parts: readonly (readonly [string, string])[]): KerasTopology {
  const input: KerasLayer = {
    name: "in",
    className: "InputLayer",
    config: { batch_shape: shape },
    calls: [],
  };
  const layers = parts.map(([name, className], index): KerasLayer => {
    const before = index === 0 ? "in" : parts[index - 1]![0];
    return { name, className, config: {}, calls: [[{ layer: before, call: 0 }]] };
  });
  return { name: "net", layers: [input, ...layers], outputs: [{ layer: parts.at(-1)![0], call: 0 }] };
}

const open = [null, null, null, 3];
const fixed = [null, 96, 128, 3];
const conv = ["stem", "Conv2D"] as const;
const vgg16 = ["vgg16/block1_conv2", "vgg16/block5_conv3"].map((name) => [name, "Conv2D"] as const);
const itself = (layer: string) => `the model scales pictures itself, in layer ${layer}`;

test("ResNet50's topology says all that its manifest says", () => {
  const json = readFileSync(new URL("../../../models/resnet50/topology.json", import.meta.url), "utf8");
  expect(inferEncoder(readTopology(JSON.parse(json)), {})).toMatchObject({
    outputLayer: "avg_pool",
    endLayer: "avg_pool",
    pooling: "avg",
    size: { height: 224, width: 224 },
    mode: "caffe",
    why: { mode: "its layers are those of ResNet" },
  });
});

describe("the size of pictures", () => {
  test.each<[string, unknown, EncoderWishes, object, string]>([
    ["of the input layer", fixed, {}, { height: 96, width: 128 }, 'of layer "in"'],
    ["that was asked for", open, { size: { height: 64, width: 32 } }, { height: 64, width: 32 }, "asked for"],
    ["that the network was trained on", open, {}, { height: 224, width: 224 }, "what VGG16 was trained on"],
    ["half of it", [null, 96, null, 3], {}, { height: 96, width: 224 }, "what VGG16 was trained on"],
  ])("%s", (_, shape, wishes, size, why) => {
    expect(inferEncoder(chain(shape, vgg16), wishes)).toMatchObject({ size, why: { size: why } });
  });

  const pictures = 'layer "in" (InputLayer): expected pictures, (batch, height, width, 3), got';
  test.each<[string, unknown, EncoderWishes, string, string]>([
    [
      ...(["that nothing says", open, {}] as const),
      "CONFIG_INVALID",
      'layer "in" (InputLayer) takes pictures of any size; say which with --size, for example --size 224x224',
    ],
    [
      ...(["that the input layer does not take", fixed, { size: { height: 128, width: 96 } }] as const),
      "CONFIG_INVALID",
      '--size 128x96: layer "in" (InputLayer) takes pictures of 96 x 128',
    ],
    [
      ...([
        "half of which it does not take",
        [null, null, 96, 3],
        { size: { height: 9, width: 9 } },
      ] as const),
      "CONFIG_INVALID",
      '--size 9x9: layer "in" (InputLayer) takes pictures of any x 96',
    ],
    ["of grey pictures", [null, 96, 96, 1], {}, "CONVERT_INVALID", `${pictures} [null,96,96,1]`],
    ["of nothing", [null, 0, 96, 3], {}, "CONVERT_INVALID", `${pictures} [null,0,96,3]`],
    ["of vectors", [null, 96], {}, "CONVERT_INVALID", `${pictures} [null,96]`],
    ["of no shape", undefined, {}, "CONVERT_INVALID", `${pictures} undefined`],
  ])("%s", (_, shape, wishes, reason, message) => {
    const topology = chain(shape, [conv, ["gap", "GlobalAveragePooling2D"]]);
    expect(() => inferEncoder(topology, { mode: "tf", ...wishes })).toThrow(
      expect.objectContaining({ reason, message }),
    );
  });
});

describe("how pictures are scaled", () => {
  const named = (...names: readonly string[]) => names.map((name) => [name, "Conv2D"] as const);
  test.each<[string, readonly (readonly [string, string])[], string, string]>([
    ["VGG16 inside another model", vgg16, "caffe", "its layers are those of VGG16"],
    [
      "VGG19",
      named("block1_conv2", "block5_conv3", "block5_conv4"),
      "caffe",
      "its layers are those of VGG19",
    ],
    [
      "ResNet of Keras 3",
      named("conv1_bn", "conv2_block1_3_conv", "conv2_block1_out"),
      "caffe",
      "its layers are those of ResNet",
    ],
    [
      "ResNet v2",
      named("conv1_bn", "conv2_block1_preact_bn", "conv2_block1_3_conv", "conv2_block1_out"),
      "tf",
      "its layers are those of ResNetV2",
    ],
    [
      "DenseNet",
      named("conv2_block1_0_bn", "conv2_block1_concat"),
      "torch",
      "its layers are those of DenseNet",
    ],
    ["Xception", named("block1_conv1", "block14_sepconv2"), "tf", "its layers are those of Xception"],
    ["a layer that rescales", [["scale", "Rescaling"], conv], "none", itself('"scale" (Rescaling)')],
    ["statistics", [["norm", "Normalization"], conv], "none", itself('"norm" (Normalization)')],
    ["even in VGG16", [["scale", "Rescaling"], ...vgg16], "none", itself('"scale" (Rescaling)')],
    [
      "arithmetic before VGG16",
      [["div", "ops.TrueDivide"], ...vgg16],
      "none",
      itself('"div" (ops.TrueDivide)'),
    ],
    ["arithmetic of Keras 2", [["sub", "TFOpLambda"], ...vgg16], "none", itself('"sub" (TFOpLambda)')],
    ["not arithmetic behind", [...vgg16, ["mul", "ops.Multiply"]], "caffe", "its layers are those of VGG16"],
  ])("%s", (_, parts, mode, why) => {
    expect(inferEncoder(chain(fixed, parts), {})).toMatchObject({ mode, why: { mode: why } });
  });

  test("what is asked for comes first, and a model that scales twice is told of", () => {
    const rescaling = chain(fixed, [["scale", "Rescaling"], conv]);
    expect(inferEncoder(rescaling, { mode: "none" }).why.mode).toBe("asked for");
    expect(inferEncoder(rescaling, { mode: "tf" })).toMatchObject({
      mode: "tf",
      why: { mode: `asked for, though ${itself('"scale" (Rescaling)')}` },
    });
  });

  test("a layer that is cut off says nothing", () => {
    const topology = chain(fixed, [conv, ["scale", "Rescaling"]]);
    expect(() => inferEncoder(topology, { outputLayer: "stem" })).toThrow(
      expect.objectContaining({
        reason: "CONFIG_INVALID",
        message:
          "the model is none that is known, and nothing in it says how its pictures are scaled; say it with --preprocess caffe, tf, torch or none",
      }),
    );
  });
});

describe("a layer that cannot be converted", () => {
  const unknown = [conv, ["up", "Resizing"], ["end", "Conv2D"]] as const;
  test("is named before anything is asked of the user", () => {
    expect(() => inferEncoder(chain(open, unknown), {})).toThrow(
      expect.objectContaining({
        reason: "CONVERT_UNSUPPORTED_LAYER",
        message: expect.stringMatching(
          /^layer "up" \(Resizing\): this layer class cannot be converted; known/,
        ),
      }),
    );
  });

  test("is nobody's matter where it is cut off", () => {
    expect(inferEncoder(chain(fixed, unknown), { outputLayer: "stem", mode: "tf" }).endLayer).toBe(
      "portico_pooling",
    );
  });
});
