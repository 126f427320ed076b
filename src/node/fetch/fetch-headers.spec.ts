import { once } from "node:events";
import http from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { EmbedError } from "../../errors.ts";
import { parseFetchHeaders } from "./fetch-headers.ts";
import { createFetchImage } from "./fetch-image.ts";
import { defaultFetchPolicy } from "./fetch-policy.ts";

const file = "headers.json";
const secret = "Bearer 5ecret";

describe("parseFetchHeaders", () => {
  test.each([
    ['{"https://cdn.example": {"Authorization": "Bearer 5ecret"}}', "https://cdn.example"],
    ['{"https://CDN.example:443/": {"authorization": "Bearer 5ecret"}}', "https://cdn.example"],
    ['{"http://minio:9000": {"authorization": "Bearer 5ecret"}}', "http://minio:9000"],
    ['{"http://[0:0::1]:9000": {"authorization": "Bearer 5ecret"}}', "http://[::1]:9000"],
    ['{"https://bücher.example": {"authorization": "Bearer 5ecret"}}', "https://xn--bcher-kva.example"],
  ])("%s", (text, origin) => {
    expect([...parseFetchHeaders(text, file)]).toEqual([[origin, { authorization: secret }]]);
  });

  test("an empty file's object is no entry, an entry's empty object no header", () => {
    expect([...parseFetchHeaders('{"http://a": {}}', file)]).toEqual([["http://a", {}]]);
    expect(parseFetchHeaders("{}", file).size).toBe(0);
  });

  const entry = (headers: string) => `{"https://a": ${headers}}`;
  const noOrigin = (key: string) =>
    `the entry "${key}" is no origin such as https://cdn.example or http://minio:9000`;
  const noValue =
    'the entry "https://a", header "x" has a value that is no text of printable characters in one line';

  test.each([
    ['{"https://a": {"x": "5ecret"}', /^it is not valid JSON( \(line 1 column \d+\))?$/],
    ['{"https://a": {"x": 5ecret}}', /^it is not valid JSON( \(line 1 column \d+\))?$/],
    ["", "it is not valid JSON"],
    ["[]", "it is not an object of origins"],
    ["null", "it is not an object of origins"],
    ['"5ecret"', "it is not an object of origins"],
    ['{"a": {}}', noOrigin("a")],
    ['{"a:9000": {}}', noOrigin("a:9000")],
    ['{"*": {}}', noOrigin("*")],
    ['{"ftp://a": {}}', noOrigin("ftp://a")],
    ['{"https://a/b": {}}', noOrigin("https://a/b")],
    ['{"https://a?": {}}', noOrigin("https://a?")],
    ['{"https://a#": {}}', noOrigin("https://a#")],
    ['{"https://u:5ecret@a": {}}', noOrigin("https://...@a")],
    [
      '{"https://a": {}, "https://A:443": {}}',
      'the entry "https://A:443" names https://a for the second time',
    ],
    [entry('"5ecret"'), 'the entry "https://a" is not an object of header names and values'],
    [entry('["5ecret"]'), 'the entry "https://a" is not an object of header names and values'],
    [entry('{"": "5ecret"}'), 'the entry "https://a", header "" is no name of a header'],
    [entry('{"a b": "5ecret"}'), 'the entry "https://a", header "a b" is no name of a header'],
    [entry('{"x\\r\\ny": "5ecret"}'), 'the entry "https://a", header "x\\r\\ny" is no name of a header'],
    [entry('{"X": "1", "x": "2"}'), 'the entry "https://a", header "x" is there for the second time'],
    [entry('{"x": 5}'), noValue],
    [entry('{"x": null}'), noValue],
    [entry('{"x": ["5ecret"]}'), noValue],
    [entry('{"x": ""}'), noValue],
    [entry('{"x": "5ecret\\n"}'), noValue],
    [entry('{"x": "5ecret\\r\\nhost: b"}'), noValue],
    [entry('{"x": "\\u0100"}'), noValue],
    ...[
      "Host",
      "connection",
      "Keep-Alive",
      "proxy-authorization",
      "TE",
      "trailer",
      "transfer-encoding",
      "upgrade",
      "content-length",
      "expect",
      "accept-encoding",
      "range",
      "if-none-match",
    ].map((name): [string, string] => [
      entry(`{"${name}": "5ecret"}`),
      `the entry "https://a", header "${name}" is not yours to set`,
    ]),
  ])("refuses %s", (text, what) => {
    const error = errorOf(() => parseFetchHeaders(text, file));
    const start = `expected headers by origin in --fetch-headers ${file}, but `;
    expect(error.reason).toBe("CONFIG_INVALID");
    expect(error.message.slice(0, start.length)).toBe(start);
    expect(error.message.slice(start.length)).toEqual(
      typeof what === "string" ? what : expect.stringMatching(what),
    );
    expect(JSON.stringify([error.message, String(error.cause), error.stack])).not.toContain("5ecret");
  });
});

describe("headers by origin, with two servers on loopback", () => {
  const seen: string[] = [];
  const servers: http.Server[] = [];
  /** Two ports of one host: another port is another origin. */
  const origins: string[] = [];

  beforeAll(async () => {
    for (const name of ["first", "second"]) {
      const server = http.createServer(({ url = "", headers }, response) => {
        seen.push(`${name} ${url.split("?")[0]} ${headers.authorization ?? "-"} ${headers["user-agent"]}`);
        const location = new URL(url, "http://x").searchParams.get("to");
        if (location) response.writeHead(302, { location }).end();
        else response.end("picture");
      });
      server.listen(0, "127.0.0.1");
      await once(server, "listening");
      servers.push(server);
      origins.push(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    }
  });
  afterAll(async () => {
    for (const server of servers) {
      server.close();
      await once(server, "close");
    }
  });

  async function fetchWith(headers: Record<string, Record<string, string>>, url: string): Promise<string[]> {
    seen.length = 0;
    const fetchImage = createFetchImage({
      ...defaultFetchPolicy,
      allowHosts: origins.map((origin) => new URL(origin).host),
      userAgent: "Gallery (admin@gallery.example)",
      headersByOrigin: parseFetchHeaders(JSON.stringify(headers), file),
    });
    await fetchImage(url);
    return [...seen];
  }

  const agent = "Gallery (admin@gallery.example)";
  const to = (origin: string, path: string) => `?to=${encodeURIComponent(`${origin}${path}`)}`;

  test("go to their own origin, and over a redirect to no other", async () => {
    const [first, second] = origins as [string, string];
    const headers = { [first]: { authorization: secret } };
    expect(await fetchWith(headers, `${first}/a`)).toEqual([`first /a ${secret} ${agent}`]);
    expect(await fetchWith(headers, `${second}/a`)).toEqual([`second /a - ${agent}`]);
    expect(await fetchWith(headers, `${first}/a${to(second, "/b")}`)).toEqual([
      `first /a ${secret} ${agent}`,
      `second /b - ${agent}`,
    ]);
    expect(await fetchWith(headers, `${second}/a${to(first, "/b")}`)).toEqual([
      `second /a - ${agent}`,
      `first /b ${secret} ${agent}`,
    ]);
    expect(await fetchWith(headers, `${first}/a${to(second, `/b${to(first, "/c")}`)}`)).toEqual([
      `first /a ${secret} ${agent}`,
      `second /b - ${agent}`,
      `first /c ${secret} ${agent}`,
    ]);
  });

  test("those for https do not go over http", async () => {
    const [first] = origins as [string];
    const headers = { [first.replace("http:", "https:")]: { authorization: secret } };
    expect(await fetchWith(headers, `${first}/a`)).toEqual([`first /a - ${agent}`]);
  });

  test("one for the host by another name does not count", async () => {
    const [first] = origins as [string];
    const headers = { [first.replace("127.0.0.1", "localhost")]: { authorization: secret } };
    expect(await fetchWith(headers, `${first}/a`)).toEqual([`first /a - ${agent}`]);
  });

  test("an origin's own user agent takes the place of the common one", async () => {
    const [first] = origins as [string];
    expect(await fetchWith({ [first]: { "User-Agent": "own" } }, `${first}/a`)).toEqual(["first /a - own"]);
  });
});

function errorOf(work: () => unknown): EmbedError {
  try {
    work();
  } catch (error) {
    if (error instanceof EmbedError) return error;
    throw error;
  }
  throw new Error("expected an EmbedError, got none");
}
