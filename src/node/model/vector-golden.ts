import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { ModelManifest } from "../../embed/model-manifest.ts";
import type { SelfCheck, VectorReference, WarmUp } from "../../embed/self-check.ts";
import { EmbedError } from "../../errors.ts";
import { packageFile, packageFileError } from "../package-file.ts";

/** The photographs that the package ships: those of the self-check and of the goldens of imported models. */
export const shippedPhotographs = ["photo/allium-oreophilum.jpg", "photo/locomotion-house-cat.jpg"] as const;

/** What the goldens of a model depend on. */
type GoldenOwner = Pick<ModelManifest, "name" | "folder">;

/** The golden of an imported model lies beside its manifest, in this folder. */
export const importedGoldenFolder = "vectors";

/** The model whose goldens are the fixtures. */
const fixtureModel: GoldenOwner = { name: "resnet50" };

/** Where a model's goldens lie; undefined: it has none. */
function goldenFolder({ name, folder }: GoldenOwner): string | undefined {
  if (folder !== undefined) return join(folder, importedGoldenFolder);
  return name === fixtureModel.name ? packageFile("fixtures/golden/embedding") : undefined;
}

/**
 * Reads a picture of fixtures/images and the vector that real Keras gives for it with ResNet50.
 * @param image path below fixtures/images, for example `photo/locomotion-house-cat.jpg`
 * @throws EmbedError `CONFIG_INVALID` if either file is missing or not of the known form
 */
export function readVectorGolden(image: string): Promise<SelfCheck> {
  return readModelGolden(fixtureModel, image);
}

/**
 * The same of any model; the vector of an imported one may be that which Portico gave when it was imported.
 * @throws EmbedError `CONFIG_INVALID` if either file is missing or not of the known form
 */
export async function readModelGolden(model: GoldenOwner, image: string): Promise<SelfCheck> {
  const folder = goldenFolder(model);
  const goldenPath = folder === undefined ? `of model ${model.name}` : join(folder, `${image}.json`);
  try {
    if (folder === undefined) throw new Error("it has none");
    const [bytes, text] = await Promise.all([
      readFile(packageFile(`fixtures/images/${image}`)),
      readFile(goldenPath, "utf8"),
    ]);
    const golden = JSON.parse(text) as Record<"golden" | "vector" | "tolerance" | "reference", unknown>;
    if (
      golden.golden !== "portico-embedding/1" ||
      typeof golden.vector !== "string" ||
      typeof golden.tolerance !== "number" ||
      ![undefined, "keras", "import"].includes(golden.reference as undefined)
    ) {
      throw new TypeError(
        'expected {"golden": "portico-embedding/1", "vector": base64, "tolerance": number}',
      );
    }
    const reference = (golden.reference ?? "keras") as VectorReference;
    const vector = float32FromBase64(golden.vector);
    return { name: image, bytes, vector, tolerance: golden.tolerance, reference };
  } catch (cause) {
    if (folder === goldenFolder(fixtureModel)) throw packageFileError(goldenPath, cause);
    throw new EmbedError("CONFIG_INVALID", `cannot read the golden ${goldenPath}: ${String(cause)}`, {
      cause,
    });
  }
}

/**
 * The photograph that every worker must embed before it takes work, with the vector that it must give.
 * @throws EmbedError `CONFIG_INVALID` if the golden is broken
 */
export async function readSelfCheck(model: GoldenOwner): Promise<SelfCheck | WarmUp> {
  const [name] = shippedPhotographs;
  if (goldenFolder(model) !== undefined) return readModelGolden(model, name);
  // Nothing to compare with: the worker must only make a vector.
  return readPhotograph(name);
}

/** The photographs that the package ships, for models of which no vector is known. */
export function readShippedPhotographs(): Promise<readonly WarmUp[]> {
  return Promise.all(shippedPhotographs.map(readPhotograph));
}

async function readPhotograph(name: string): Promise<WarmUp> {
  const file = packageFile(`fixtures/images/${name}`);
  const bytes = await readFile(file).catch((cause: unknown) => {
    throw packageFileError(file, cause);
  });
  return { name, bytes };
}

/** Little-endian float32, whatever the order of this machine. */
function float32FromBase64(text: string): Float32Array {
  const bytes = Buffer.from(text, "base64");
  return Float32Array.from({ length: bytes.length / 4 }, (_, index) => bytes.readFloatLE(index * 4));
}

/** Paths below fixtures/images of every picture that lies there and whose vector is known, sorted. */
export async function listVectorGoldens(model: GoldenOwner = fixtureModel): Promise<string[]> {
  const folder = goldenFolder(model);
  if (folder === undefined) return [];
  const [goldens, images] = await Promise.all([
    readdir(folder, { recursive: true }),
    // The package ships the goldens of every fixture, but only two photographs.
    readdir(packageFile("fixtures/images"), { recursive: true }),
  ]);
  const known = new Set(goldens);
  return images
    .filter((image) => known.has(`${image}.json`))
    .map((image) => image.replaceAll("\\", "/"))
    .sort();
}
