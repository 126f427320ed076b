import type { ModelManifest, VariantName } from "../../embed/model-manifest.ts";
import { pickVariant } from "../../embed/pick-variant.ts";
import { modelFile, resolveCacheDir } from "../model/model-cache.ts";

/** A converted model that browsers may fetch, in one of its forms. */
export interface PageModel {
  readonly name: string;
  readonly variant: VariantName;
  readonly sha256: string;
  readonly bytes: number;
  /** Where `prepareModel` puts it. */
  readonly path: string;
}

/**
 * Models whose facts (manifest, self-check) are built into the page (`package-assets.ts` in src/web): only these do its
 * engines compute; all others are the server's alone.
 */
export const pageModelNames: readonly string[] = ["resnet50"];

/** @param cacheDir folder of prepared models; by default `resolveCacheDir()` */
export function pageModel(manifest: ModelManifest, cacheDir?: string): PageModel {
  const { name, onnx, precision } = manifest;
  const path = modelFile(resolveCacheDir(cacheDir), manifest);
  return { name, variant: precision, sha256: onnx.sha256, bytes: onnx.bytes, path };
}

/** All forms of a model but one, whether they are prepared or not; the largest first. */
export function otherForms(manifest: ModelManifest, variant: VariantName, cacheDir?: string): PageModel[] {
  const names = ["fp32", ...Object.keys(manifest.variants ?? {})] as VariantName[];
  return names
    .filter((name) => name !== variant)
    .map((name) => pageModel(pickVariant(manifest, name), cacheDir))
    .sort((a, b) => b.bytes - a.bytes);
}

/** Where a browser finds it, relative to the page: `models/resnet50.onnx`, `models/resnet50-int8.onnx`. */
export const modelPath = ({ name, variant }: Pick<PageModel, "name" | "variant">): string =>
  `models/${name}${variant === "fp32" ? "" : `-${variant}`}.onnx`;
