import { createEmbedder, EmbedError } from "portico";

/** A page of somebody who installed the package; posts what it saw as JSON. The query says `engine` and `threads`. */

const query = new URLSearchParams(location.search);
const engine = query.get("engine");
const threads = Number(query.get("threads"));
const onnx = new URL("/model.onnx", location.href);

const reasonOf = (call) =>
  call.then(
    () => "none",
    (error) => (error instanceof EmbedError ? error.reason : String(error)),
  );

async function run() {
  const open = async (options = {}) => {
    const kinds = new Set();
    const onProgress = ({ kind }) => kinds.add(kind);
    return { kinds, embedder: await createEmbedder({ onnx, engine, threads, onProgress, ...options }) };
  };
  const first = await open();
  const { embedder } = first;
  const bytes = new Uint8Array(await (await fetch("/photo.jpg")).arrayBuffer());
  const pixels = new ImageData(new Uint8ClampedArray(4 * 6).fill(200), 3, 2);
  const [file, blob, raw] = await Promise.all([
    embedder.embed(bytes),
    embedder.embed(new Blob([bytes])),
    embedder.embed(pixels),
  ]);
  const waiting = new AbortController();
  const aborted = reasonOf(embedder.embed(bytes, { signal: waiting.signal }));
  waiting.abort();
  const reasons = {
    badPicture: await reasonOf(embedder.embed(Uint8Array.of(1, 2, 3))),
    aborted: await aborted,
    noModel: await reasonOf(open({ model: "none" })),
    noEngine: await reasonOf(open({ engine: "ort-native" })),
    noFile: await reasonOf(open({ onnx: undefined })),
    otherFile: await reasonOf(open({ onnx: bytes })),
    stopped: await reasonOf(open({ signal: AbortSignal.abort() })),
  };
  const waits = embedder.embed(bytes);
  await embedder.dispose();
  reasons.disposed = await reasonOf(waits);
  reasons.afterDispose = await reasonOf(embedder.embed(bytes));
  const second = await open();
  await second.embedder.dispose();
  const cache = await caches.open("portico-models");
  for (const key of await cache.keys()) await cache.put(key, new Response("broken"));
  const third = await open();
  await third.embedder.dispose();
  await caches.delete("portico-models");
  reasons.unreachable = await reasonOf(open({ onnx: "/missing.onnx" }));
  reasons.shorter = await reasonOf(open({ onnx: "/photo.jpg" }));
  // As it is where storage is switched off.
  caches.open = () => Promise.reject(new DOMException("The operation is insecure.", "SecurityError"));
  const unkept = await open();
  await unkept.embedder.dispose();
  const { model, dimension, vectorSpace } = embedder;
  return {
    isolated: crossOriginIsolated,
    model,
    engine: embedder.engine,
    dimension,
    vectorSpace,
    reasons,
    firstEvents: [...first.kinds],
    secondEvents: [...second.kinds],
    brokenEvents: [...third.kinds],
    unkeptEvents: [...unkept.kinds],
    vector: [...file.vector],
    sameFromBlob: blob.vector.every((value, index) => value === file.vector[index]),
    raw: { format: raw.format, width: raw.width, height: raw.height, length: raw.vector.length },
  };
}

const report = await run().catch((error) => ({ error: `${error?.reason ?? ""} ${error?.stack ?? error}` }));
await fetch("/report", { method: "POST", body: JSON.stringify(report) });
