import { promisify } from "node:util";
import { brotliCompress, constants, gzip } from "node:zlib";

const brotli = promisify(brotliCompress);
const gzipped = promisify(gzip);

/** Beyond it brotli's best quality takes half a minute for what the next but one does in five seconds. */
const bestQualityMaxBytes = 2 ** 20;

/** Brotli, as well as it can within seconds: a sixth is lost on files of more than 1 MiB. */
export function toBrotli(content: Uint8Array): Promise<Uint8Array> {
  return brotli(content, {
    params: {
      [constants.BROTLI_PARAM_QUALITY]: content.length > bestQualityMaxBytes ? 9 : 11,
      [constants.BROTLI_PARAM_LGWIN]: 24,
      [constants.BROTLI_PARAM_SIZE_HINT]: content.length,
    },
  });
}

export const toGzip = (content: Uint8Array): Promise<Uint8Array> => gzipped(content, { level: 9 });
