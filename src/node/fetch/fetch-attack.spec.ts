import { once } from "node:events";
import net, { type AddressInfo } from "node:net";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { FetchBytes } from "../../embed/host.ts";
import { EmbedError } from "../../errors.ts";
import { createFetchImage } from "./fetch-image.ts";
import { defaultFetchPolicy } from "./fetch-policy.ts";

/** For attacks that only the time limit ends; the others have all the time that a busy machine may take. */
const shortMs = 300;
const longMs = 30_000;
const maxBytes = 10_000;
const maxConcurrent = 4;
const ok = "HTTP/1.1 200 OK\r\n";

/** What a hostile server writes after a request, byte by byte where it wants to. */
type Attack = (socket: net.Socket) => void;

/** Writes `start`, then `more` again and again, as fast as the other side reads. */
const forever =
  (start: string, more: string): Attack =>
  (socket) => {
    const pump = () => {
      while (!socket.destroyed && socket.write(more));
    };
    socket.write(start);
    socket.on("drain", pump);
    pump();
  };

/** Writes `start`, then one letter every 10 ms. */
const drip =
  (start: string, letter = "x"): Attack =>
  (socket) => {
    socket.write(start);
    const timer = setInterval(() => socket.write(letter), 10);
    socket.on("close", () => clearInterval(timer));
  };

const say =
  (...parts: (string | Buffer)[]): Attack =>
  (socket) => {
    for (const part of parts) socket.write(part);
  };

const late = `SOURCE_UNREACHABLE: HOST could not be reached: no whole answer within ${shortMs} ms (--fetch-timeout-ms)`;
const unreachable = (why: string) => `SOURCE_UNREACHABLE: HOST could not be reached: ${why}`;
const notHttp = unreachable("its answer is not valid HTTP");
const tooLarge = (got: string) =>
  `SOURCE_TOO_LARGE: expected at most ${maxBytes} bytes (--max-image-bytes) from HOST, got ${got}`;
const otherLength = unreachable("the body is shorter or longer than announced");
const encoded = unreachable("it sent a content-encoding although identity was asked for");
const closed = unreachable("the connection was closed before the whole answer had come");
const bomb = gzipSync(Buffer.alloc(10_000_000));

const attacks: Readonly<Record<string, readonly [attack: Attack, answer: string]>> = {
  silence: [() => undefined, late],
  "status line drip": [drip("", "H"), notHttp],
  "header drip": [drip(`${ok}x: `), late],
  "endless header": [forever(`${ok}x: `, "a".repeat(1000)), notHttp],
  "endless headers": [forever(ok, "x: y\r\n".repeat(100)), notHttp],
  "endless interim answers": [forever("", "HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n"), late],
  "body drip": [drip(`${ok}content-length: 5000\r\n\r\n`), late],
  "chunk drip": [drip(`${ok}transfer-encoding: chunked\r\n\r\n1000\r\n`), late],
  "endless body": [forever(`${ok}\r\n`, "x".repeat(1000)), tooLarge("more")],
  "endless chunks": [
    forever(`${ok}transfer-encoding: chunked\r\n\r\n`, "1\r\nx\r\n".repeat(100)),
    tooLarge("more"),
  ],
  "endless chunk extension": [forever(`${ok}transfer-encoding: chunked\r\n\r\n1;a=`, "x".repeat(1000)), late],
  "endless trailers": [
    forever(`${ok}transfer-encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n`, "x: y\r\n".repeat(100)),
    notHttp,
  ],
  "length announced too large": [
    say(`${ok}content-length: 99999999999\r\n\r\nx`),
    tooLarge("99999999999 bytes announced"),
  ],
  "length no number": [say(`${ok}content-length: 1e1\r\n\r\nx`), otherLength],
  "length negative": [say(`${ok}content-length: -1\r\n\r\nx`), notHttp],
  "two lengths": [say(`${ok}content-length: 1\r\ncontent-length: 2\r\n\r\nxx`), otherLength],
  "length and chunked": [
    say(`${ok}content-length: 1\r\ntransfer-encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n`),
    otherLength,
  ],
  "less than announced": [(socket) => socket.end(`${ok}content-length: 5000\r\n\r\nx`), closed],
  "more than announced": [say(`${ok}content-length: 1\r\n\r\n`, "xyz".repeat(1000)), "x"],
  "no bytes announced, some sent": [
    say(`${ok}content-length: 0\r\n\r\nxyz`),
    "SOURCE_EMPTY: expected a picture from HOST, got an empty body",
  ],
  "gzip bomb": [say(`${ok}content-encoding: gzip\r\ncontent-length: ${bomb.length}\r\n\r\n`, bomb), encoded],
  "deflate, twice": [say(`${ok}content-encoding: deflate, deflate\r\n\r\nx`), encoded],
  "redirect loop": [
    say("HTTP/1.1 302 Found\r\nlocation: /redirect%20loop\r\ncontent-length: 0\r\n\r\n"),
    unreachable("more than 5 redirects (--fetch-max-redirects)"),
  ],
  "redirect with an endless body": [
    forever(
      "HTTP/1.1 302 Found\r\nlocation: /redirect%20with%20an%20endless%20body\r\n\r\n",
      "x".repeat(1000),
    ),
    unreachable("more than 5 redirects (--fetch-max-redirects)"),
  ],
  "error with an endless body": [
    forever("HTTP/1.1 500 No\r\n\r\n", "x".repeat(1000)),
    unreachable("HTTP status 500"),
  ],
  "a switch of protocols": [
    say("HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\nx"),
    closed,
  ],
  "HTTP/2": [say(Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0])), notHttp],
  "line noise": [say("\0\xff\r\n\r\n\0"), notHttp],
  "closed at once": [(socket) => socket.destroy(), closed],
  reset: [(socket) => socket.resetAndDestroy(), closed],
};

let server: net.Server;
let host: string;
let fetchImage: FetchBytes;
let fetchShortly: FetchBytes;
let open = 0;

beforeAll(async () => {
  server = net.createServer((socket) => {
    open += 1;
    socket.on("close", () => {
      open -= 1;
    });
    // The attacked side hangs up as it pleases.
    socket.on("error", () => undefined);
    socket.on("data", (request) => {
      const [, path = ""] = /^GET \/(\S*) /.exec(request.toString("latin1")) ?? [];
      const attack = attacks[decodeURIComponent(path)];
      if (attack) attack[0](socket);
      else socket.end(`${ok}content-length: 7\r\n\r\npicture`);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const policy = { ...defaultFetchPolicy, allowHosts: [host], maxBytes, maxConcurrent };
  fetchImage = createFetchImage({ ...policy, timeoutMs: longMs });
  fetchShortly = createFetchImage({ ...policy, timeoutMs: shortMs });
});

afterAll(async () => {
  server.close();
  await once(server, "close");
});

async function outcome(name: string, signal?: AbortSignal): Promise<string> {
  try {
    const fetchBytes = attacks[name]?.[1] === late ? fetchShortly : fetchImage;
    const bytes = await fetchBytes(`http://${host}/${encodeURIComponent(name)}`, signal && { signal });
    return Buffer.from(bytes).toString("latin1");
  } catch (error) {
    if (error instanceof EmbedError) return `${error.reason}: ${error.message.replaceAll(host, "HOST")}`;
    throw error;
  }
}

/** Every slot and every socket is free again. */
async function expectRecovered(): Promise<void> {
  for (const fetchBytes of [fetchImage, fetchShortly]) {
    const good = () =>
      Promise.allSettled(Array.from({ length: maxConcurrent * 2 }, () => fetchBytes(`http://${host}/good`)));
    const fetched = async () => (await good()).filter(({ status }) => status === "fulfilled").length;
    await expect.poll(fetched, { timeout: 20_000 }).toBe(maxConcurrent * 2);
  }
  await expect.poll(() => open, { timeout: 5000 }).toBe(0);
}

test.each(Object.entries(attacks))("%s", async (name, [, answer]) => {
  expect(await outcome(name)).toBe(answer);
  await expectRecovered();
});

test("a hundred attacks at once, in few slots: each has its own answer, then all slots are free", async () => {
  const names = Object.keys(attacks);
  const all = Array.from({ length: 100 }, (_, i) => names[i % names.length]!);
  const outcomes = await Promise.all(all.map((name) => outcome(name)));
  expect(outcomes).toEqual(all.map((name) => attacks[name]![1]));
  await expectRecovered();
}, 60_000);

test("callers who go, before their turn or during it, leave no slot and no socket behind", async () => {
  const callers = Array.from({ length: 100 }, () => new AbortController());
  const pending = callers.map(({ signal }, i) => outcome(i % 2 ? "body drip" : "silence", signal));
  for (const [i, caller] of callers.entries()) setTimeout(() => caller.abort(), i % 50);
  expect(new Set(await Promise.all(pending))).toEqual(
    new Set(["CANCELLED: the caller went away before the work was done"]),
  );
  await expectRecovered();
});
