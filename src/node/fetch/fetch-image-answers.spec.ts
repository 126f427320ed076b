import { expect, test } from "vitest";
import {
  allClosed,
  outcome,
  picture,
  pictures,
  policy,
  unreachable,
  usePictureServer,
} from "../../../tools/picture-server.ts";
import { createFetchImage, type FetchRefusal } from "./fetch-image.ts";

usePictureServer();

test.each(["/picture", "/chunked", "/identity", "/relative", "/hops?1", "/hops?5"])(
  "%s gives the bytes",
  async (path) => {
    const bytes = await createFetchImage(policy())(`http://${pictures.host}${path}`);
    expect(Buffer.compare(bytes, picture)).toBe(0);
    expect([bytes.byteOffset, bytes.buffer.byteLength]).toEqual([0, 1000]);
  },
);

test("exactly as many bytes as the limit are taken", async () => {
  expect((await createFetchImage(policy())(`http://${pictures.host}/exactly`)).length).toBe(2000);
});

test.each([
  ["/empty", () => `SOURCE_EMPTY: expected a picture from ${pictures.host}, got an empty body`],
  ["/no-content", () => unreachable("HTTP status 204")],
  ["/missing", () => unreachable("HTTP status 404")],
  ["/busy", () => unreachable("HTTP status 503")],
  ["/not-modified", () => unreachable("HTTP status 304")],
  ["/partial", () => unreachable("HTTP status 206")],
  ["/gzip", () => unreachable("it sent a content-encoding although identity was asked for")],
  ["/announced-large", () => tooLarge("2001 bytes announced")],
  ["/endless", () => tooLarge("more")],
  ["/cut", () => unreachable("the connection was closed before the whole answer had come")],
  ["/loop", () => unreachable("more than 5 redirects (--fetch-max-redirects)")],
  ["/hops?6", () => unreachable("more than 5 redirects (--fetch-max-redirects)")],
  ["/nowhere", () => unreachable("HTTP status 302 without a Location header")],
])("%s is refused", async (path, answer) => {
  expect(await outcome(createFetchImage(policy())(`http://${pictures.host}${path}`))).toBe(answer());
  await allClosed();
});

const tooLarge = (got: string) =>
  `SOURCE_TOO_LARGE: expected at most 2000 bytes (--max-image-bytes) from ${pictures.host}, got ${got}`;

test.each([
  ["file:///etc/passwd", 'expected an http or https URL, got the scheme "file:"'],
  ["http://169.254.169.254/", "(cloud metadata service)"],
  ["//[::1]/", "(loopback)"],
  ["http://2130706433:1/", "expected port 80, 443 or one above 1023"],
  ["http://u:p@8.8.8.8/", "without credentials"],
  ["http://[", "a text that is no URL"],
  ["data:image/png;base64,YWJj", "got a data URI; send the picture's bytes instead"],
])("a redirect to %s is not followed, and the log says why", async (target, why) => {
  const refusals: FetchRefusal[] = [];
  const fetchImage = createFetchImage(policy(), { onRefused: (refusal) => refusals.push(refusal) });
  expect(await outcome(fetchImage(`http://${pictures.host}/to?url=${encodeURIComponent(target)}`))).toBe(
    unreachable("it redirects to a URL that is not allowed"),
  );
  expect(refusals).toEqual([{ host: pictures.host, why: expect.stringContaining(why) }]);
});

test("a redirect to a name that resolves to a private address is not dialled", async () => {
  const refusals: FetchRefusal[] = [];
  const fetchImage = createFetchImage(policy(), { onRefused: (refusal) => refusals.push(refusal) });
  // The port is the server's own, the name is not listed: were it dialled, the picture would come.
  const target = `http://localhost:${pictures.host.split(":")[1]}/picture`;
  expect(await outcome(fetchImage(`http://${pictures.host}/to?url=${encodeURIComponent(target)}`))).toBe(
    `SOURCE_UNREACHABLE: ${pictures.host} could not be reached`,
  );
  expect(refusals).toEqual([
    { host: pictures.host, why: expect.stringMatching(/^localhost is \S+ \(loopback\)$/) },
  ]);
});

test("a redirect back to the listed pictures.host is followed", async () => {
  const fetchImage = createFetchImage(policy());
  const target = encodeURIComponent(`http://${pictures.host}/picture`);
  expect((await fetchImage(`http://${pictures.host}/to?url=${target}`)).length).toBe(1000);
});
