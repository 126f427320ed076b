/** What `preprocess_input` of a network does to the samples of a picture; the same as the modes of src/preprocess. */
export type ImageMode = "caffe" | "tf" | "torch" | "none";

/** A network of keras.applications, told by layers that it alone has; fine-tuned models keep their names. */
interface Architecture {
  readonly name: string;
  /** All of them are there... */
  readonly layers: readonly string[];
  /** ...and none of these. */
  readonly without?: readonly string[];
  /** What its `preprocess_input` does (keras.applications, each network's module). */
  readonly mode: ImageMode;
  /** Side of the square pictures that it was trained on. */
  readonly side: number;
}

/**
 * Of keras_applications 1.0.8 and of Keras 3; a name holds for both where they differ in nothing here. Networks that
 * scale their pictures themselves, as EfficientNet does, need no row.
 */
const architectures: readonly Architecture[] = [
  {
    name: "VGG16",
    layers: ["block1_conv2", "block5_conv3"],
    without: ["block5_conv4"],
    mode: "caffe",
    side: 224,
  },
  { name: "VGG19", layers: ["block1_conv2", "block5_conv4"], mode: "caffe", side: 224 },
  { name: "ResNet", layers: ["res2a_branch2a", "bn2a_branch2a"], mode: "caffe", side: 224 },
  {
    name: "ResNet",
    layers: ["conv1_bn", "conv2_block1_3_conv", "conv2_block1_out"],
    without: ["conv2_block1_preact_bn", "conv2_block1_2_reduce"],
    mode: "caffe",
    side: 224,
  },
  { name: "ResNetV2", layers: ["conv2_block1_preact_bn", "conv2_block1_3_conv"], mode: "tf", side: 224 },
  { name: "ResNeXt", layers: ["conv1_bn", "conv2_block1_2_reduce"], mode: "torch", side: 224 },
  { name: "DenseNet", layers: ["conv2_block1_0_bn", "conv2_block1_concat"], mode: "torch", side: 224 },
  { name: "Xception", layers: ["block1_conv1", "block14_sepconv2"], mode: "tf", side: 299 },
  { name: "InceptionV3", layers: ["mixed0", "mixed10"], mode: "tf", side: 299 },
  { name: "InceptionResNetV2", layers: ["mixed_5b", "conv_7b"], mode: "tf", side: 299 },
  { name: "MobileNet", layers: ["conv_dw_1", "conv_pw_13"], mode: "tf", side: 224 },
  { name: "MobileNetV2", layers: ["expanded_conv_depthwise", "block_16_project"], mode: "tf", side: 224 },
];

/**
 * @param layerNames of a model whose models inside were taken apart: `vgg16/block1_conv1`
 * @returns the network that the model is or has inside it; undefined if it is none that is known
 */
export function findArchitecture(layerNames: readonly string[]): Architecture | undefined {
  // A layer's own name is what is behind any of its slashes, since names may hold slashes themselves.
  const own = new Set(layerNames.flatMap(suffixes));
  return architectures.find(
    ({ layers, without = [] }) =>
      layers.every((name) => own.has(name)) && !without.some((name) => own.has(name)),
  );
}

function suffixes(name: string): readonly string[] {
  const parts = name.split("/");
  return parts.map((_, index) => parts.slice(index).join("/"));
}
