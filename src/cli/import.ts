import { type Command, InvalidArgumentError, Option } from "commander";
import type { Pooling } from "../convert/infer/find-features.ts";
import type { Size } from "../convert/infer/infer-encoder.ts";
import { commandName } from "../node/command-name.ts";
import { importModel } from "../node/import/import-model.ts";
import { resolveModelsDir } from "../node/model/models-folder.ts";
import {
  type ChannelMode,
  channelModes,
  type Interpolation,
  interpolations,
} from "../preprocess/preprocess-spec.ts";
import { addModelsDirOption, filePath } from "./common-options.ts";
import { describeImport } from "./import-report.ts";
import { reportShortfall } from "./report-error.ts";

interface ImportFlags {
  readonly name: string;
  readonly topology?: string;
  readonly preprocess?: ChannelMode;
  readonly size?: Size;
  readonly pooling?: Pooling;
  readonly interpolation: Interpolation;
  readonly outputLayer?: string;
  readonly modelsDir?: string;
  readonly golden?: true;
  readonly python: string;
  readonly force?: true;
}

export function addImportCommand(program: Command): void {
  addModelsDirOption(
    program
      .command("import")
      .description("make a model of a file of your own: Keras .h5, .keras or tfjs model.json, or .onnx")
      .argument("<file>", "the model; its content says what it is, not its name", filePath)
      .requiredOption("--name <name>", "what the model is called from now on")
      .option(
        "--topology <json>",
        "of a .h5 that holds weights alone: what model.to_json() returns",
        filePath,
      )
      .addOption(
        new Option(
          "--preprocess <mode>",
          "how pictures are scaled, as preprocess_input of keras.applications",
        ).choices(channelModes),
      )
      .option("--size <HxW>", "height and width of the pictures that the model gets", size)
      .addOption(
        new Option(
          "--pooling <how>",
          "what is done to an output that is still a picture; avg by default",
        ).choices(["avg", "max", "none"]),
      )
      .addOption(
        new Option("--interpolation <filter>", "how pictures are resized, as load_img of Keras")
          .choices(interpolations)
          .default("nearest"),
      )
      .option(
        "--output-layer <layer>",
        "layer that gives the vector; by default the last without a classifier",
      )
      .option("--golden", "have real Keras make the vectors that verify and the self-check compare with")
      .option("--python <path>", "Python with Keras, for --golden", filePath, "python3")
      .option("--force", "replace the imported model of this name"),
  )
    .addHelpText(
      "after",
      `
What is not given is inferred where the file says it, and the output tells why; where it does not, an error says
which option to give. The model is checked with two photographs on each engine that runs here. Nothing in the file
is run: a Lambda layer is refused. docs/import.md says more.

Imported models lie in --models-dir, else PORTICO_MODELS, else portico/models in the system's folder of a user's
data; without --models-dir, here and now: ${resolveModelsDir()}

Examples:
  ${commandName()} import flowers.keras --name flowers
  ${commandName()} import weights_notop.h5 --topology vgg19.json --name my_vgg19 --pooling max
  ${commandName()} import resnet18.onnx --name resnet18 --preprocess torch --interpolation bilinear`,
    )
    .action(importCommand);
}

/** HEIGHTxWIDTH, each from 1. */
function size(text: string): Size {
  const [, height, width] = /^([1-9]\d{0,4})x([1-9]\d{0,4})$/.exec(text) ?? [];
  if (height !== undefined && width !== undefined) return { height: Number(height), width: Number(width) };
  throw new InvalidArgumentError(`expected HEIGHTxWIDTH such as 224x224, got "${text}"`);
}

async function importCommand(file: string, flags: ImportFlags): Promise<void> {
  const {
    name,
    topology,
    outputLayer,
    pooling,
    preprocess,
    interpolation,
    modelsDir,
    golden,
    python,
    force,
  } = flags;
  const interrupt = new AbortController();
  const onInterrupt = () => interrupt.abort();
  process.once("SIGINT", onInterrupt).once("SIGTERM", onInterrupt);
  try {
    const imported = await importModel({
      ...{ file, name, interpolation, signal: interrupt.signal },
      ...(topology !== undefined && { topology }),
      ...(modelsDir !== undefined && { modelsDir }),
      ...(force && { force }),
      ...(golden && { python }),
      wishes: {
        ...(outputLayer !== undefined && { outputLayer }),
        ...(pooling && { pooling }),
        ...(flags.size && { size: flags.size }),
        ...(preprocess && { mode: preprocess }),
      },
    });
    process.stdout.write(describeImport(imported, modelsDir));
    if (imported.keras && "missing" in imported.keras) {
      reportShortfall(`--golden: ${imported.keras.missing}; the model is imported without Keras's vectors`);
    }
  } finally {
    process.off("SIGINT", onInterrupt).off("SIGTERM", onInterrupt);
  }
}
