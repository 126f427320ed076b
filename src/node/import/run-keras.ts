import { spawn } from "node:child_process";
import { once } from "node:events";
import { constants } from "node:fs";
import { open, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { ModelManifest } from "../../embed/model-manifest.ts";
import { EmbedError } from "../../errors.ts";
import { shippedPhotographs } from "../model/vector-golden.ts";
import { packageFile } from "../package-file.ts";
import { showText } from "../show-text.ts";
import type { ImportedGolden } from "./import-golden.ts";
import { kerasScript } from "./keras-script.ts";

/**
 * The most time of Keras: TensorFlow takes 10 s to be loaded, on a busy machine a minute, and a large model as long again.
 */
export const kerasTimeoutMs = 600_000;

/** What the script exits with if there is no Keras to be imported. */
const missingExitCode = 3;

/** The most of the file that it writes: two vectors of a million elements each. */
export const maxVectorsBytes = 16 << 20;

/** How long a program's last words are waited for once it has ended. */
const lastWordsMs = 1_000;

/** What of a program's last words is shown. */
const maxLastWords = 500;

export interface KerasOptions {
  /** A program that runs Python: a path, or a name on PATH. */
  readonly python: string;
  /** The user's own file, and its topology. */
  readonly file: string;
  readonly topology?: string | undefined;
  /** Default: `kerasTimeoutMs`. */
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Vectors by real Keras; or why there are none, although nothing is wrong with the model. */
export type KerasVectors =
  | { readonly goldens: readonly ImportedGolden[]; readonly madeBy: string }
  | { readonly missing: string };

/**
 * Has real Keras make the vectors of the photographs from the user's own file, by a script that is written into the
 * model's folder.
 * @throws EmbedError `VECTOR_DRIFT` if it wrote something else than vectors of this model; the signal's reason
 */
export async function runKeras(manifest: ModelManifest, options: KerasOptions): Promise<KerasVectors> {
  const folder = manifest.folder ?? ".";
  const [script, settings, out] = ["vectors.py", "vectors.settings.json", "vectors.out.json"].map((name) =>
    join(folder, name),
  ) as [string, string, string];
  await writeFile(script, kerasScript);
  await writeFile(settings, `${JSON.stringify(settingsFor(manifest, options), undefined, 2)}\n`);
  const ended = await runToEnd([script, settings, out], options);
  if (ended !== undefined) return { missing: ended };
  const text = await readText(out, refuseOthers(manifest, options.python));
  await rm(out);
  return readVectors(text, manifest, options.python);
}

function settingsFor(manifest: ModelManifest, { file, topology }: KerasOptions): object {
  const { preprocess, outputLayer, pooling, sources } = manifest;
  const [source] = sources;
  return {
    ...{ file, topology: topology ?? null, format: source?.kind === "file" ? source.format : null },
    ...{ outputLayer, pooling, ...preprocess },
    images: shippedPhotographs.map((name) => ({ name, path: packageFile(`fixtures/images/${name}`) })),
  };
}

/** @returns what went wrong; undefined if nothing did */
async function runToEnd(
  args: readonly string[],
  { python, timeoutMs = kerasTimeoutMs, signal }: KerasOptions,
): Promise<string | undefined> {
  signal?.throwIfAborted();
  // A group of its own, so that what Python has started ends with it.
  const child = spawn(python, args, { stdio: ["ignore", "ignore", "pipe"], detached: true });
  const kill = () => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
    } catch {
      // It has ended meanwhile.
    }
  };
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    kill();
  }, timeoutMs);
  signal?.addEventListener("abort", kill);
  let lastWords = "";
  child.stderr.on("data", (chunk: Buffer) => {
    lastWords = (lastWords + chunk.toString()).slice(-maxLastWords);
  });
  try {
    const closed = once(child, "close").catch(() => undefined);
    const [code, killedBy] = (await once(child, "exit")) as [number | null, NodeJS.Signals | null];
    // A process that it has left behind may hold stderr for ever.
    await Promise.race([closed, delay(lastWordsMs)]);
    child.stderr.destroy();
    signal?.throwIfAborted();
    if (code === 0) return undefined;
    const words =
      showText(lastWords.trim().split("\n").at(-1) ?? "", maxLastWords) ||
      `it ended by ${killedBy ?? `exit code ${code}`}`;
    if (isLate) return `${python} took longer than ${timeoutMs} ms`;
    if (code === missingExitCode) return `${python} has no Keras (${words}); ${howToInstall(python)}`;
    return `Keras makes no vectors of the file: ${words}`;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === undefined || signal?.aborted) throw error;
    return `${python} cannot be run (${code}); give another with --python PATH`;
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", kill);
  }
}

const howToInstall = (python: string) => `install it with: ${python} -m pip install tensorflow keras pillow`;

type Refuse = (got: string) => EmbedError;

const refuseOthers =
  ({ identity }: ModelManifest, python: string): Refuse =>
  (got) =>
    new EmbedError(
      "VECTOR_DRIFT",
      `${python}: expected vectors of ${identity.dimension} elements, got ${got}`,
    );

/** The file is another program's: it may be none, or of any size. */
async function readText(file: string, refuse: Refuse): Promise<string> {
  // Without waiting, should it be a pipe that nobody writes to.
  const handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK).catch(() => {
    throw refuse("no file");
  });
  try {
    const found = await handle.stat();
    if (!found.isFile()) throw refuse("what is no plain file");
    if (found.size > maxVectorsBytes) throw refuse(`${found.size} bytes, more than ${maxVectorsBytes}`);
    return await handle.readFile("utf8");
  } finally {
    await handle.close();
  }
}

function parse(text: string, refuse: Refuse): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw refuse(`${text.length} characters that are no JSON`);
  }
}

function readVectors(text: string, manifest: ModelManifest, python: string): KerasVectors {
  const { identity } = manifest;
  const refuse = refuseOthers(manifest, python);
  const made = (parse(text, refuse) ?? {}) as { madeBy?: unknown; vectors?: Record<string, unknown> };
  const { madeBy, vectors } = made;
  const goldens = shippedPhotographs.map((image) => {
    const bytes = Buffer.from(String(vectors?.[image] ?? ""), "base64");
    if (bytes.length !== identity.dimension * 4) throw refuse(`${bytes.length / 4} for ${image}`);
    const vector = Float32Array.from({ length: identity.dimension }, (_, index) =>
      bytes.readFloatLE(index * 4),
    );
    const norm = Math.sqrt(vector.reduce((sum, value) => sum + value * value, 0));
    // Not `>`: NaN must not pass.
    if (!(Math.abs(norm - 1) <= 1e-5)) throw refuse(`a norm of ${norm} for ${image}`);
    return { image, vector };
  });
  return { goldens, madeBy: showText(String(madeBy)) };
}
