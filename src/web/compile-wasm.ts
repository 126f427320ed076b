import { EmbedError } from "../errors.ts";
import { fetchFile } from "./fetch-file.ts";

/**
 * Fetches and compiles a file of this package.
 * @throws EmbedError `CONFIG_INVALID`, `CANCELLED` or `DEADLINE_EXCEEDED` by the signal
 */
export async function compileWasm(url: URL | string, signal?: AbortSignal): Promise<WebAssembly.Module> {
  const bytes = await fetchFile(url, { signal, reason: "CONFIG_INVALID" });
  try {
    return await WebAssembly.compile(bytes);
  } catch (cause) {
    const message = `${url}: expected WebAssembly that this page may compile, got ${String(cause)}; a Content-Security-Policy needs 'wasm-unsafe-eval'`;
    throw new EmbedError("CONFIG_INVALID", message, { cause });
  }
}
