import { expect, test } from "vitest";
import { encodeGrpcMessage } from "./grpc-message.ts";

test.each([
  ["IMAGE_CORRUPT: datas[1], a/b?", "IMAGE_CORRUPT: datas[1], a/b?"],
  ["100%", "100%25"],
  ["Näh ☃ 😀", "N%C3%A4h %E2%98%83 %F0%9F%98%80"],
  ["line\r\nbreak\x7f", "line%0D%0Abreak%7F"],
  ["", ""],
])("%j", (text, encoded) => {
  expect(encodeGrpcMessage(text)).toBe(encoded);
  expect(decodeURIComponent(encoded)).toBe(text);
});
