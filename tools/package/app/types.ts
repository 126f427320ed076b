import {
  createEmbedder,
  EmbedError,
  type ImageEmbedding,
  type Pixels,
  type Processor,
  type ProcessorInput,
  type ProcessorOutput,
} from "portico";
import { createClient } from "portico/client";

/** Compiled against the package's declarations, for Node and for a bundler; never run. */
export async function embedOnce(bytes: Uint8Array, blob: Blob, onnx: URL): Promise<ImageEmbedding> {
  const options = { model: "resnet50", engine: "simd", onnx } as const;
  const embedder = await createEmbedder(options);
  try {
    await embedder.embed(blob, { signal: AbortSignal.timeout(1_000) });
    return await embedder.embed(bytes);
  } catch (error) {
    if (error instanceof EmbedError && error.reason === "IMAGE_CORRUPT") throw new Error(error.message);
    throw error;
  } finally {
    await embedder.dispose();
  }
}

export async function askServer(images: readonly Blob[]): Promise<number> {
  const { results } = await createClient({ baseUrl: "http://127.0.0.1:52001" }).embed(images);
  return results.reduce((sum, result) => sum + (result.ok ? result.vector.length : 0), 0);
}

/** A module for `portico serve --processor`. */
export const firstRow: Processor = {
  name: "first-row",
  async process(picture: ProcessorInput): Promise<ProcessorOutput[]> {
    const { width, data }: Pixels = await picture.decode();
    return [{ width, height: 1, data: data.slice(0, width * 3) }, picture.bytes];
  },
};
