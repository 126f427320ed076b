const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const digits = Uint8Array.from(alphabet, (digit) => digit.charCodeAt(0));
const padding = "=".charCodeAt(0);

/** Bytes as base64 text (RFC 4648, section 4, with padding), the text itself as bytes. */
export function encodeBase64(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const text = new Uint8Array(Math.ceil(bytes.length / 3) * 4);
  let to = 0;
  for (let from = 0; from < bytes.length; from += 3) {
    const rest = bytes.length - from;
    const bits = (bytes[from]! << 16) | ((bytes[from + 1] ?? 0) << 8) | (bytes[from + 2] ?? 0);
    text[to++] = digits[bits >> 18]!;
    text[to++] = digits[(bits >> 12) & 63]!;
    text[to++] = rest > 1 ? digits[(bits >> 6) & 63]! : padding;
    text[to++] = rest > 2 ? digits[bits & 63]! : padding;
  }
  return text;
}
