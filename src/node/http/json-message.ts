import { createMessageShape, type MessageShapeLimits } from "./message-shape.ts";

const quote = 0x22;
const comma = 0x2c;
const backslash = 0x5c;
const openBracket = 0x5b;
const closeBracket = 0x5d;
const openBrace = 0x7b;
const closeBrace = 0x7d;

/**
 * Counts the brackets, braces and commas of a JSON message and how deep it is, without parsing it: what
 * `JSON.parse` would build can take fifty times the memory of its text. Whether it *is* JSON is not checked;
 * up to the first mistake, where `JSON.parse` stops, both see the same strings.
 * @param bytes UTF-8; a byte of an ASCII character is never part of another one
 * @throws EmbedError `REQUEST_TOO_LARGE`
 */
export function checkJsonMessage(bytes: Uint8Array, limits: MessageShapeLimits): void {
  const shape = createMessageShape(limits, "brackets, braces and commas");
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0; at < text.length; at++) {
    switch (text[at]) {
      case quote:
        at = endOfString(text, at + 1);
        break;
      case openBracket:
      case openBrace:
        shape.addElement();
        shape.enter();
        break;
      case closeBracket:
      case closeBrace:
        shape.leave();
        break;
      case comma:
        shape.addElement();
        break;
    }
  }
}

/** So many bytes of a string are looked at one by one before a search begins, which costs about as much. */
const nearBytes = 64;

/**
 * Where the string that begins at `start` has its closing quote; the length of `text` if it has none.
 * Searches once only: a long string without an escaped quote is base64, another may be full of them.
 */
function endOfString(text: Buffer, start: number): number {
  const near = endOfStringBefore(text, start, Math.min(start + nearBytes, text.length));
  if (text[near] === quote) return near;
  const found = text.indexOf(quote, near);
  if (found < 0) return text.length;
  return isEscaped(text, found, near) ? endOfStringBefore(text, found + 1, text.length) : found;
}

/** The same, byte by byte; `stop`, or one byte behind it, if there is no closing quote before. */
function endOfStringBefore(text: Buffer, start: number, stop: number): number {
  let at = start;
  for (; at < stop; at++) {
    if (text[at] === quote) return at;
    if (text[at] === backslash) at++;
  }
  return at;
}

/** Whether an odd number of backslashes stands between `from`, the start of a character, and `at`. */
function isEscaped(text: Buffer, at: number, from: number): boolean {
  let first = at;
  while (first > from && text[first - 1] === backslash) first--;
  return (at - first) % 2 === 1;
}
