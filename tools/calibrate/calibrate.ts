import { writeFile } from "node:fs/promises";
import { findModelManifest } from "../../src/node/model/model-catalog.ts";
import { prepareModel } from "../../src/node/model/model-store.ts";
import { readModel } from "../../src/node/model/read-model.ts";
import { packageFile } from "../../src/node/package-file.ts";
import { calibrationPhotographs, readCalibrationTensors } from "./calibration-pictures.ts";
import { measureRanges } from "./measure-ranges.ts";

/** `npm run calibrate`: writes models/resnet50/int8-ranges.json, from which `portico prepare --variant int8` goes. */

/** The file's text: a line for each tensor. */
export async function calibrate(model: string): Promise<string> {
  const manifest = await findModelManifest(model);
  const { width, height } = manifest.preprocess;
  const ranges = await measureRanges(
    await readModel(await prepareModel(manifest), manifest),
    await readCalibrationTensors(calibrationPhotographs, manifest.preprocess),
    [height, width],
  );
  const lines = Object.entries(ranges).map(
    ([name, range]) => `    ${JSON.stringify(name)}: [${range.join(", ")}]`,
  );
  return `{
  "madeBy": "npm run calibrate",
  "photographs": [
${calibrationPhotographs.map((name) => `    ${JSON.stringify(name)}`).join(",\n")}
  ],
  "ranges": {
${lines.join(",\n")}
  }
}
`;
}

if (import.meta.main) {
  const model = "resnet50";
  await writeFile(packageFile(`models/${model}/int8-ranges.json`), await calibrate(model));
}
