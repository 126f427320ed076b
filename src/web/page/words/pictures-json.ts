import { vectorsOf } from "../state/compare-ways.ts";
import type { Picture } from "../state/page-state.ts";

/** What is downloaded: each picture with its vectors, or why there is none. Numbers are float32, written exactly. */
export function picturesJson(pictures: readonly Picture[]): string {
  return JSON.stringify({ pictures: pictures.map(pictureFacts) });
}

function pictureFacts(picture: Picture) {
  const { name, bytes, preview } = picture;
  const facts =
    preview.kind === "ready"
      ? { format: preview.format, width: preview.width, height: preview.height }
      : "error" in preview && { error: preview.error };
  const vectors = vectorsOf(picture).map(([way, { engine, vectorSpace, vector, timings, totalMs }]) => ({
    ...{ way, engine, vectorSpace, timings, totalMs },
    vector: [...vector],
  }));
  return { name, bytes, ...facts, vectors };
}

/** A vector as a JSON list. */
export const vectorJson = (vector: Float32Array): string => JSON.stringify([...vector]);
