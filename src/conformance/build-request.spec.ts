import { join } from "node:path";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { Base64Alphabet, DataItemSchema, RequestSchema } from "../gen/portico/conformance/v1/suite_pb.ts";
import { buildData, buildRequest } from "./build-request.ts";
import { openFixtureFiles } from "./fixture-files.ts";
import { packageFolder } from "./package-folder.ts";

const files = openFixtureFiles(join(packageFolder, "fixtures"));
const padded = "jpeg/crop-256x256.jpg";
const unpadded = "photo/black-canyon.jpg";
const file = (path: string) => ({ source: { case: "file" as const, value: path } });
const build = (item: MessageInitShape<typeof DataItemSchema>) =>
  buildData(create(DataItemSchema, item), files);
const base64 = Buffer.from(files.image(padded)).toString("base64");

test("a file is sent as base64", () => {
  expect(build(file(padded))).toBe(base64);
});

test("prefix, alphabet, padding and line breaks", () => {
  const text = build({
    ...file(padded),
    prefix: "data:image/jpeg;base64,",
    alphabet: Base64Alphabet.URL_SAFE,
    omitPadding: true,
    lineLength: 76,
  });
  expect(text.startsWith("data:image/jpeg;base64,")).toBe(true);
  const digits = text.slice("data:image/jpeg;base64,".length);
  expect(digits.slice(0, 80)).toMatch(/^[\w-]{76}\r\n [\w-]$/);
  expect(digits).not.toMatch(/[+/=]/);
  expect(Buffer.from(digits, "base64url").equals(files.image(padded))).toBe(true);
});

test("truncated and lengthened", () => {
  expect(build({ ...file(padded), truncateToBytes: 3 })).toBe(base64.slice(0, 4));
  const longer = Buffer.from(build({ ...file(padded), appendZeroBytes: 1000 }), "base64");
  expect(longer.length).toBe(files.image(padded).length + 1000);
  expect(longer.subarray(-1000).every((byte) => byte === 0)).toBe(true);
});

test("a text is sent as it stands", () => {
  expect(build({ source: { case: "text", value: " no base64!" } })).toBe(" no base64!");
});

test.each([
  [{ ...file(unpadded), omitPadding: true }, "has no base64 padding to omit"],
  [{ ...file("bad/text.jpg"), alphabet: Base64Alphabet.URL_SAFE }, "is the same in both base64 alphabets"],
  [{ ...file("bad/one-byte.bin"), truncateToBytes: 1 }, "has only 1 bytes to truncate"],
])("a variant that would be none is refused: %#", (item, message) => {
  expect(() => build(item)).toThrow(`${item.source.value} ${message}: choose another file for this case`);
});

test("a missing file is refused", () => {
  expect(() => build(file("photo/none.jpg"))).toThrow("the fixture photo/none.jpg cannot be read");
});

test("both lists, with repetition and URLs of the fixture host", () => {
  const request = create(RequestSchema, {
    method: "Execute",
    datas: [{ source: { case: "text", value: "a" }, repeat: 3 }, { source: { case: "text", value: "b" } }],
    urls: [
      { source: { case: "fixturePath", value: "/images/a.jpg" } },
      { source: { case: "text", value: "" } },
    ],
  });
  const { datas, urls } = buildRequest(request, files, "http://127.0.0.1:7");
  expect(datas).toEqual(["a", "a", "a", "b"]);
  expect(urls).toEqual(["http://127.0.0.1:7/images/a.jpg", ""]);
});
