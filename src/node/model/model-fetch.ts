import { createWriteStream } from "node:fs";
import { rename, rm } from "node:fs/promises";
import { Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { Dispatcher } from "undici";
import { isHdf5 } from "../../convert/hdf5/h5wasm-file.ts";
import type { UrlModelSource } from "../../embed/model-manifest.ts";
import { isSafeWeightsUrl } from "../../embed/weights-url.ts";
import { EmbedError } from "../../errors.ts";
import { temporaryPath } from "./model-temporary-file.ts";

/** The longest silence of a host, before its answer and between two pieces of it. */
export const fetchSilenceMs = 30_000;

/** Releases lead to a store of files, and that perhaps to another. */
const maxRedirects = 5;

const redirectStatuses = new Set([301, 302, 303, 307, 308]);

interface FetchOptions {
  /** Where the whole file is to lie; its folder exists. */
  readonly file: string;
  readonly onProgress: (receivedBytes: number) => void;
  readonly signal?: AbortSignal;
  /** Default: `fetchSilenceMs`. */
  readonly silenceMs?: number;
}

/**
 * Fetches a file of weights through the proxy and with the certificates that npm is configured with. What comes is
 * looked at as it comes: an answer that is too long, or no HDF5 file, is not read on. Nothing lies at `file` before
 * the whole has come; its hash is the caller's to check.
 * @throws EmbedError `MODEL_UNREACHABLE` with the URL; `CONFIG_INVALID` if npm's configuration is broken; file system
 *   errors; the signal's reason
 */
export async function fetchWeights(source: UrlModelSource, options: FetchOptions): Promise<void> {
  const { file, signal } = options;
  const partial = temporaryPath(file);
  const agent = await createAgent(source, options.silenceMs ?? fetchSilenceMs);
  let receivedBytes = 0;
  let fetchError: unknown;
  let fileError: unknown;
  try {
    options.onProgress(0);
    const { body, headers } = await followRedirects(source.url, agent, signal);
    refuseLength(source, Number(headers["content-length"] ?? 0), "announced");
    let looked = false;
    const look = new Transform({
      transform(chunk: Uint8Array, _encoding, done) {
        try {
          if (!looked) refuseOtherFiles(chunk, String(headers["content-type"] ?? "no type"));
          looked = true;
          receivedBytes += chunk.byteLength;
          refuseLength(source, receivedBytes, "or more came");
          options.onProgress(receivedBytes);
          done(null, chunk);
        } catch (error) {
          done(error as Error);
        }
      },
    });
    const write = createWriteStream(partial);
    // A pipeline hands its first error to every part of it; only what begins at the file is the file's.
    body.once("error", (error) => {
      fetchError = error;
    });
    write.once("error", (error) => {
      if (error !== fetchError && "syscall" in error) fileError = error;
    });
    await pipeline(body, look, write, { ...(signal && { signal }) });
    if (receivedBytes < source.bytes)
      throw new Error(`it ended after ${receivedBytes} of ${source.bytes} bytes`);
    await rename(partial, file);
  } catch (error) {
    signal?.throwIfAborted();
    if (fileError !== undefined) throw fileError;
    throw toFetchError(source, error, receivedBytes);
  } finally {
    await agent.destroy();
    await rm(partial, { force: true });
  }
}

/** As npm goes to its registry: the same proxy, the same certificates; and not at all where npm is set to offline. */
async function createAgent({ url }: UrlModelSource, silenceMs: number): Promise<Dispatcher> {
  const [{ EnvHttpProxyAgent }, { readNpmOptions }] = await Promise.all([
    import("undici"),
    import("./model-npm-options.ts"),
  ]);
  const { offline, proxy, httpsProxy, noProxy, ca, strictSSL } = await readNpmOptions();
  if (offline) throw new EmbedError("MODEL_UNREACHABLE", `${url} cannot be fetched: npm is set to offline`);
  const tls = {
    ...(ca ? { ca: ca as string | string[] } : {}),
    ...(strictSSL === false && { rejectUnauthorized: false }),
  };
  return new EnvHttpProxyAgent({
    // What npm does not name comes from HTTP_PROXY, HTTPS_PROXY and NO_PROXY, as with npm; false forbids a proxy.
    ...(proxy || proxy === false ? { httpProxy: String(proxy || "") } : {}),
    ...(httpsProxy ? { httpsProxy: String(httpsProxy) } : {}),
    ...(noProxy ? { noProxy: String(noProxy) } : {}),
    headersTimeout: silenceMs,
    bodyTimeout: silenceMs,
    connect: { ...tls, timeout: silenceMs },
    requestTls: tls,
    proxyTls: tls,
  });
}

async function followRedirects(
  first: string,
  dispatcher: Dispatcher,
  signal: AbortSignal | undefined,
): Promise<Dispatcher.ResponseData> {
  const { request } = await import("undici");
  let url = new URL(first);
  for (let hops = 0; hops <= maxRedirects; hops++) {
    const response = await request(url, {
      dispatcher,
      headers: { accept: "application/octet-stream", "user-agent": "portico" },
      ...(signal && { signal }),
    });
    if (response.statusCode === 200) return response;
    response.body.on("error", () => undefined).destroy();
    const location = [response.headers.location].flat()[0];
    if (!redirectStatuses.has(response.statusCode) || location === undefined) {
      throw new Error(`HTTP status ${response.statusCode}${hops === 0 ? "" : ` of ${url.host}`}`);
    }
    url = new URL(location, url);
    if (!isSafeWeightsUrl(url.href)) throw new Error(`it leads to ${url.host} without https`);
  }
  throw new Error(`more than ${maxRedirects} redirects`);
}

function refuseLength({ bytes }: UrlModelSource, length: number, how: string): void {
  if (length > bytes) throw new Error(`expected ${bytes} bytes, ${length} ${how}`);
}

/** A page that asks for a login comes with status 200 too. */
function refuseOtherFiles(head: Uint8Array, type: string): void {
  // Of a first piece that is as short as that, the hash decides.
  if (head.length < 8 || isHdf5(head)) return;
  const start = JSON.stringify(new TextDecoder("latin1").decode(head.subarray(0, 40)));
  throw new Error(`expected an HDF5 file, got ${type} that begins with ${start}`);
}

function toFetchError({ url, bytes }: UrlModelSource, cause: unknown, receivedBytes: number): EmbedError {
  if (cause instanceof EmbedError) return cause;
  const { code, message } = cause as { readonly code?: string; readonly message: string };
  const why = code && !message.includes(code) ? `${message} (${code})` : message;
  const after =
    receivedBytes > 0 && !why.includes(" bytes") ? ` after ${receivedBytes} of ${bytes} bytes` : "";
  return new EmbedError("MODEL_UNREACHABLE", `${url} cannot be fetched: ${why}${after}`, { cause });
}
