import { readFile } from "node:fs/promises";
import { createEmbedder, EmbedError } from "portico";

/** A program of somebody who installed the package; writes what it saw as JSON: program.mjs PHOTO CACHE. */

const [photo, cacheDir] = process.argv.slice(2);
const reasonOf = (call) =>
  call.then(
    () => "none",
    (error) => (error instanceof EmbedError ? error.reason : String(error)),
  );

const events = [];
const embedder = await createEmbedder({
  model: "resnet50",
  engine: process.env.ENGINE ?? "auto",
  workers: 1,
  cacheDir,
  onProgress: ({ kind }) => events.push(kind),
});
const bytes = await readFile(photo);
const [file, blob, raw] = await Promise.all([
  embedder.embed(bytes),
  embedder.embed(new Blob([bytes])),
  embedder.embed({ data: new Uint8ClampedArray(4 * 6).fill(200), width: 3, height: 2 }),
]);
const reasons = {
  badPicture: await reasonOf(embedder.embed(Uint8Array.of(1, 2, 3))),
  aborted: await reasonOf(embedder.embed(bytes, { signal: AbortSignal.abort() })),
  noModel: await reasonOf(createEmbedder({ model: "none" })),
  noEngine: await reasonOf(createEmbedder({ engine: "none" })),
};
const { model, engine, dimension, vectorSpace } = embedder;
await embedder.dispose();
reasons.disposed = await reasonOf(embedder.embed(bytes));
reasons.stopped = await reasonOf(createEmbedder({ cacheDir, signal: AbortSignal.abort() }));

console.log(
  JSON.stringify({
    model,
    engine,
    dimension,
    vectorSpace,
    reasons,
    events,
    vector: [...file.vector],
    sameFromBlob: blob.vector.every((value, index) => value === file.vector[index]),
    raw: { format: raw.format, width: raw.width, height: raw.height, length: raw.vector.length },
  }),
);
