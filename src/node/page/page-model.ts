import type { ModelManifest } from "../../embed/model-manifest.ts";
import { modelFile, resolveCacheDir } from "../model/model-cache.ts";

/** A converted model that browsers may fetch. */
export interface PageModel {
  readonly name: string;
  readonly sha256: string;
  readonly bytes: number;
  /** Where `prepareModel` puts it. */
  readonly path: string;
}

/** @param cacheDir folder of prepared models; by default `resolveCacheDir()` */
export function pageModel(manifest: ModelManifest, cacheDir?: string): PageModel {
  const { name, onnx } = manifest;
  const path = modelFile(resolveCacheDir(cacheDir), manifest);
  return { name, sha256: onnx.sha256, bytes: onnx.bytes, path };
}
