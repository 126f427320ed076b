import type { EngineOutcome, NetworkRow } from "../networks.ts";
import type { Run } from "../results.ts";
import { markdownTable } from "./markdown.ts";

/** docs/networks.md, from what a run measured. */
export function networksPage({ report, machine, date, command }: Run<"networks">): string {
  const refusals = [...new Set(report.flatMap(refusalsOf))];
  const footnote = (reason: string) => `not yet (${refusals.indexOf(reason) + 1})`;
  const outcome = (engine: EngineOutcome | undefined) => {
    if (!engine) return "-";
    return "error" in engine ? engine.error.toExponential(1) : footnote(engine.notYet);
  };
  const rows = report.map((row) => {
    const { width, height, mode } = row.preprocess;
    return [
      row.network,
      row.keras,
      row.notYet === undefined ? "yes" : footnote(row.notYet),
      outcome(row.engines?.simd),
      outcome(row.engines?.["ort-wasm"]),
      row.dimension === undefined ? "-" : String(row.dimension),
      `${width}x${height}`,
      mode,
      (row.parameters / 1e6).toFixed(1),
      row.contrast.toFixed(2),
      savedFiles(row),
    ];
  });
  const converted = report.filter(({ notYet }) => notYet === undefined).length;
  const errors = report.flatMap(({ engines }) =>
    Object.values(engines ?? {}).flatMap((one) => ("error" in one ? [one.error] : [])),
  );
  return `# Networks

Which networks of Keras Applications Portico converts and runs, and how near their vectors are to Keras's. Written by \`${command}\`
from bench/results/networks.json; ${machine.system}, Node ${machine.node}, ${date}. ${converted} of ${report.length} builds are converted; the largest error of all is ${Math.max(...errors).toExponential(1)}.

Each network is built by real Keras without its top and with \`pooling="avg"\`, and gets random weights. Keras makes the vectors of two
photographs with \`load_img(target_size=...)\` and the network's own \`preprocess_input\`; Portico makes them from the same files,
by its own decoder, preprocessing and engines. An error is the largest difference in a vector, as a part of the vector's
largest value; 1e-5 is allowed.

${markdownTable(
  [
    "network",
    "built by",
    "converts",
    { figures: "error, `simd`" },
    { figures: "error, `ort-wasm`" },
    { figures: "dimension" },
    { figures: "input" },
    "preprocess",
    { figures: "million weights" },
    { figures: "contrast" },
    "saved files",
  ],
  rows,
)}

${refusals.length === 0 ? "" : `Not yet, and why:\n\n${refusals.map((reason, i) => `${i + 1}. ${reason}`).join("\n")}\n\n`}- **Built by**: both Kerases where both have the network. Many pairs are one graph with the same weights, bit for bit;
  ResNet50 and DenseNet121 are not: keras_applications has another ResNet50 than Keras 3, and DenseNets whose layers have other names.
- **Input and preprocess** are Keras's: the size of \`target_size\`, the interpolation \`nearest\`, the mode of \`preprocess_input\`.
- **Contrast** is the largest difference between the vectors of the two photographs, as a part of their largest value.
  Random networks may give nearly the same vector for everything, which would prove nothing: less than 0.03 is refused when the vectors are made.
- **A weight that is wrong shows**: of 93 weights of DenseNet121, ResNet50V2, ResNet152, ResNet152V2, InceptionV3 and VGG19, taken at even distances, each
  was made one hundredth larger, one at a time; the vector moved by 1.7e-5 or more. \`npm test\` does so with three.
- **Saved files**: \`.h5\` and \`.keras\` that Keras saved, read and converted: the bytes of the ONNX file are those that topology and random weights give.
  A dash: none were read in the run that this page tells of.
- **Not measured yet**: EfficientNetB3 to B7, EfficientNetV2M and V2L, NASNetLarge, and the ConvNeXts: no vectors of Keras are kept for them.
- **The random weights** are not kept. Each follows from its name, its shape and a seed, by the same whole-number arithmetic in
  Python (fixtures/generation/network_weights.py) and in TypeScript (tools/networks/network-weights.ts): the same float32 bits. Kernels are
  He's uniform ones times a gain for each network, so that activations stay near 1; every bias, scale, shift, mean and variance is random.

## Again, with real Keras

\`npm test\` runs fourteen of them against what Keras gave, without Keras (tools/networks/networks.spec.ts): each engine with one of the two photographs. To make it all anew, with Python 3.11 and the packages of
fixtures/requirements.txt (fixtures/README.md says how to install them):

\`\`\`
python fixtures/generate.py --only networks --save output/networks && npm run networks -- --files output/networks
\`\`\`

It builds every network with real Keras, writes vectors and topologies to fixtures/golden/networks, saves each as \`.h5\` and \`.keras\` in
output/networks, reads those files, converts, runs and compares, and writes this page. Without \`--save\` and \`--files\` the files are left out,
and \`npm run networks\` alone takes what Keras gave before.
`;
}

const refusalsOf = ({ notYet, engines }: NetworkRow): readonly string[] => [
  ...(notYet === undefined ? [] : [notYet]),
  ...Object.values(engines ?? {}).flatMap((one) => ("notYet" in one ? [one.notYet] : [])),
];

function savedFiles({ files }: NetworkRow): string {
  if (!files) return "-";
  return Object.entries(files)
    .map(([ending, outcome]) => (outcome === "same" ? `.${ending}` : `.${ending}: ${outcome}`))
    .join(", ");
}
