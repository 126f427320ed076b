import { invalidModel } from "../convert-error.ts";

/** A topology: some 1.5 MB for the largest of Keras's own networks. */
export const maxJsonBytes = 16 << 20;

/** Lists and objects within each other: a model inside a model takes six. */
const maxJsonDepth = 100;

/** Values and members: each takes memory many times its text's. The largest of Keras's own networks has some 100,000. */
const maxJsonValues = 1_000_000;

/**
 * Parses JSON of a stranger: what would take more memory than a model's is refused before it is parsed.
 * @param what names the file, for messages
 * @throws EmbedError `CONVERT_INVALID`
 */
export function parseModelJson(what: string, bytes: Uint8Array): unknown {
  if (bytes.length > maxJsonBytes) {
    throw invalidModel(`${what}: expected at most ${maxJsonBytes} bytes, got ${bytes.length}`);
  }
  checkSize(what, bytes);
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (cause) {
    throw invalidModel(`${what} is no JSON: ${(cause as Error).message}`, cause);
  }
}

/** Code points of JSON's grammar; all of them are single bytes in UTF-8. */
const [quote, backslash, comma, openList, closeList, openObject, closeObject] = [
  ...new TextEncoder().encode('"\\,[]{}'),
] as const;

function checkSize(what: string, bytes: Uint8Array): void {
  let depth = 0;
  let values = 0;
  let isText = false;
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i];
    if (isText) {
      if (byte === backslash) i++;
      else if (byte === quote) isText = false;
    } else if (byte === quote) {
      isText = true;
    } else if (byte === openList || byte === openObject) {
      values++;
      depth++;
      if (depth > maxJsonDepth) throw invalidModel(`${what}: is nested more than ${maxJsonDepth} deep`);
    } else if (byte === closeList || byte === closeObject) {
      depth--;
    } else if (byte === comma) {
      values++;
    }
  }
  if (values > maxJsonValues) throw invalidModel(`${what}: expected at most ${maxJsonValues} values`);
}
