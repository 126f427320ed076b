import { once } from "node:events";
import http from "node:http";
import net, { type AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { EmbedError } from "../../errors.ts";
import type { Dial } from "./fetch-connect.ts";
import { createFetchImage, type FetchRefusal, type FetchReport } from "./fetch-image.ts";
import { defaultFetchPolicy, type FetchPolicy } from "./fetch-policy.ts";

async function outcome(promise: Promise<Uint8Array>): Promise<string> {
  try {
    return Buffer.from(await promise).toString("latin1");
  } catch (error) {
    if (error instanceof EmbedError) return `${error.reason}: ${error.message}`;
    throw error;
  }
}

describe("with a stub resolver and a stub connector", () => {
  /** Names to addresses; only public ones may reach `connect`, which refuses as a closed port would. */
  function stubDial(names: Readonly<Record<string, readonly string[]>>) {
    const dialled: string[] = [];
    const dial: Dial = {
      resolve: async (hostname) => {
        const addresses = names[hostname];
        if (!addresses) throw new Error(`getaddrinfo ENOTFOUND ${hostname}`);
        return addresses.map((address) => ({ address, family: net.isIP(address) }));
      },
      connect: (_target, addresses, _timeoutMs, callback) => {
        dialled.push(...addresses.map(({ address }) => address));
        callback(Object.assign(new Error("connect ECONNREFUSED"), { code: "ECONNREFUSED" }), null);
      },
      isOwnAddress: () => false,
    };
    return { dial, dialled };
  }

  const names = {
    "public.example": ["8.8.8.8"],
    "private.example": ["10.0.0.1"],
    "mixed.example": ["8.8.8.8", "127.0.0.1"],
    "metadata.example": ["169.254.169.254"],
    "127.0.0.1.nip.io": ["127.0.0.1"],
    "169-254-169-254.nip.io": ["169.254.169.254"],
    "metadata.google.internal": ["169.254.169.254"],
    "mapped.example": ["::ffff:10.0.0.1"],
    "nat64.example": ["64:ff9b::7f00:1"],
    "a.localhost": ["::1"],
    localhost: ["127.0.0.1", "::1"],
    "localhost.": ["127.0.0.1"],
  };

  test.each([
    ["http://private.example/", "private.example is 10.0.0.1 (private)"],
    ["http://private.example:8080/", "private.example is 10.0.0.1 (private)", ":8080"],
    ["http://mixed.example/", "mixed.example is 127.0.0.1 (loopback)"],
    ["https://metadata.example/", "metadata.example is 169.254.169.254 (cloud metadata service)"],
    ["http://127.0.0.1.nip.io/", "127.0.0.1.nip.io is 127.0.0.1 (loopback)"],
    ["http://169-254-169-254.nip.io/", "169-254-169-254.nip.io is 169.254.169.254 (cloud metadata service)"],
    [
      "http://metadata.google.internal/computeMetadata/v1/",
      "metadata.google.internal is 169.254.169.254 (cloud metadata service)",
    ],
    ["http://mapped.example/", "mapped.example is ::ffff:10.0.0.1 (ipv4Mapped of private)"],
    ["http://nat64.example/", "nat64.example is 64:ff9b::7f00:1 (rfc6052 of loopback)"],
    ["http://a.localhost/", "a.localhost is ::1 (loopback)"],
    ["http://ⓛocalhost/", "localhost is 127.0.0.1 (loopback)"],
    ["http://127.0.0.1../", "127.0.0.1.. was not resolved"],
    ["http://localhost/", "localhost is 127.0.0.1 (loopback)"],
    ["http://LOCALHOST./", "localhost. is 127.0.0.1 (loopback)"],
    ["http://unknown.example/", "unknown.example was not resolved"],
  ])("%s: the caller learns nothing, the log learns why", async (url, why, port = "") => {
    const { dial, dialled } = stubDial(names);
    const refusals: FetchRefusal[] = [];
    const fetchImage = createFetchImage(defaultFetchPolicy, {
      dial,
      onRefused: (refusal) => refusals.push(refusal),
    });
    const host = `${new URL(url).hostname}${port}`;
    expect(await outcome(fetchImage(url))).toBe(`SOURCE_UNREACHABLE: ${host} could not be reached`);
    expect(refusals).toEqual([{ host, why }]);
    expect(dialled).toEqual([]);
  });

  test("a public address is dialled, and a failure to connect is told", async () => {
    const { dial, dialled } = stubDial(names);
    const fetchImage = createFetchImage(defaultFetchPolicy, { dial });
    expect(await outcome(fetchImage("http://public.example/a.png"))).toBe(
      "SOURCE_UNREACHABLE: public.example could not be reached: the connection was refused",
    );
    expect(dialled).toEqual(["8.8.8.8"]);
  });

  test("a text that is refused as it stands resolves and dials nothing", async () => {
    const { dial, dialled } = stubDial({});
    const fetchImage = createFetchImage(defaultFetchPolicy, { dial });
    expect(await outcome(fetchImage("http://0x7f.1/"))).toBe(
      "SOURCE_FORBIDDEN: expected a public address (--allow-hosts names exceptions), got 127.0.0.1 (loopback)",
    );
    expect(dialled).toEqual([]);
  });

  test("a resolver that never answers ends with the deadline, or with the caller", async () => {
    const dial: Dial = {
      resolve: () => new Promise(() => undefined),
      connect: () => expect.unreachable(),
      isOwnAddress: () => false,
    };
    const fetchImage = createFetchImage({ ...defaultFetchPolicy, timeoutMs: 50 }, { dial });
    expect(await outcome(fetchImage("http://slow.example/"))).toBe(
      "SOURCE_UNREACHABLE: slow.example could not be reached: no whole answer within 50 ms (--fetch-timeout-ms)",
    );
    const caller = new AbortController();
    const pending = outcome(createFetchImage(defaultFetchPolicy, { dial })("http://slow.example/", caller));
    caller.abort();
    expect(await pending).toBe("CANCELLED: the caller went away before the work was done");
  });

  test("a bad --allow-hosts is found when the server starts", () => {
    expect(() => createFetchImage({ ...defaultFetchPolicy, allowHosts: ["http://a"] })).toThrow(
      "--allow-hosts",
    );
  });
});

describe("with real servers on loopback", () => {
  const picture = Buffer.from(Array.from({ length: 1000 }, (_, i) => i & 255));
  const seen: http.IncomingMessage[] = [];
  const open = new Set<net.Socket>();
  let server: http.Server;
  let host: string;
  /** Called with the response of `/hang`, to see when the client lets go. */
  let hung: (response: http.ServerResponse) => void = () => undefined;

  const routes: Readonly<
    Record<string, (response: http.ServerResponse, request: http.IncomingMessage) => void>
  > = {
    "/picture": (response) => response.end(picture),
    "/chunked": (response) => {
      response.write(picture.subarray(0, 500));
      response.end(picture.subarray(500));
    },
    "/empty": (response) => response.end(),
    "/no-content": (response) => response.writeHead(204).end(),
    "/missing": (response) => response.writeHead(404).end("x".repeat(100_000)),
    "/busy": (response) => response.writeHead(503, { "retry-after": "1" }).end(),
    "/not-modified": (response) => response.writeHead(304).end(),
    "/partial": (response) => response.writeHead(206).end(picture),
    "/gzip": (response) => response.writeHead(200, { "content-encoding": "gzip" }).end(picture),
    "/identity": (response) => response.writeHead(200, { "content-encoding": "Identity" }).end(picture),
    "/announced-large": (response) => {
      response.writeHead(200, { "content-length": 2001 });
      response.write("x");
    },
    "/endless": (response) => {
      const pump = () => {
        while (!response.destroyed && response.write("x".repeat(1000)));
      };
      response.on("drain", pump);
      pump();
    },
    "/exactly": (response) => response.end("x".repeat(2000)),
    "/cut": (response) => {
      response.writeHead(200, { "content-length": 1000 });
      response.write("x", () => response.destroy());
    },
    "/hang": (response) => hung(response),
    "/drip": (response) => {
      response.writeHead(200, { "content-length": 1000 });
      const timer = setInterval(() => response.write("x"), 10);
      response.on("close", () => clearInterval(timer));
    },
    "/relative": (response) => response.writeHead(302, { location: "picture" }).end("x".repeat(100_000)),
    "/loop": (response) => response.writeHead(301, { location: "/loop" }).end(),
    "/nowhere": (response) => response.writeHead(302).end(),
    "/to": (response, request) => {
      const target = new URL(request.url ?? "", "http://x").searchParams.get("url") ?? "";
      response.writeHead(307, { location: target }).end();
    },
    "/hops": (response, request) => {
      const left = Number(request.url?.split("?")[1]);
      response.writeHead(308, { location: left > 1 ? `/hops?${left - 1}` : "/picture" }).end();
    },
  };

  beforeAll(async () => {
    server = http.createServer((request, response) => {
      seen.push(request);
      const route = routes[request.url?.split("?")[0] ?? ""];
      if (route) route(response, request);
      else response.writeHead(500).end();
    });
    server.on("connection", (socket) => {
      open.add(socket);
      socket.on("close", () => open.delete(socket));
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  });

  afterAll(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, "close");
  });

  function policy(changes: Partial<FetchPolicy> = {}): FetchPolicy {
    return { ...defaultFetchPolicy, allowHosts: [host], maxBytes: 2000, timeoutMs: 2000, ...changes };
  }

  const unreachable = (why: string) => `SOURCE_UNREACHABLE: ${host} could not be reached: ${why}`;

  test.each(["/picture", "/chunked", "/identity", "/relative", "/hops?1", "/hops?5"])(
    "%s gives the bytes",
    async (path) => {
      const bytes = await createFetchImage(policy())(`http://${host}${path}`);
      expect(Buffer.compare(bytes, picture)).toBe(0);
      expect([bytes.byteOffset, bytes.buffer.byteLength]).toEqual([0, 1000]);
    },
  );

  test("exactly as many bytes as the limit are taken", async () => {
    expect((await createFetchImage(policy())(`http://${host}/exactly`)).length).toBe(2000);
  });

  test.each([
    ["/empty", () => `SOURCE_EMPTY: expected a picture from ${host}, got an empty body`],
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
    expect(await outcome(createFetchImage(policy())(`http://${host}${path}`))).toBe(answer());
    await allClosed();
  });

  const tooLarge = (got: string) =>
    `SOURCE_TOO_LARGE: expected at most 2000 bytes (--max-image-bytes) from ${host}, got ${got}`;

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
    expect(await outcome(fetchImage(`http://${host}/to?url=${encodeURIComponent(target)}`))).toBe(
      unreachable("it redirects to a URL that is not allowed"),
    );
    expect(refusals).toEqual([{ host, why: expect.stringContaining(why) }]);
  });

  test("a redirect to a name that resolves to a private address is not dialled", async () => {
    const refusals: FetchRefusal[] = [];
    const fetchImage = createFetchImage(policy(), { onRefused: (refusal) => refusals.push(refusal) });
    // The port is the server's own, the name is not listed: were it dialled, the picture would come.
    const target = `http://localhost:${host.split(":")[1]}/picture`;
    expect(await outcome(fetchImage(`http://${host}/to?url=${encodeURIComponent(target)}`))).toBe(
      `SOURCE_UNREACHABLE: ${host} could not be reached`,
    );
    expect(refusals).toEqual([{ host, why: expect.stringMatching(/^localhost is \S+ \(loopback\)$/) }]);
  });

  test("a redirect back to the listed host is followed", async () => {
    const fetchImage = createFetchImage(policy());
    const target = encodeURIComponent(`http://${host}/picture`);
    expect((await fetchImage(`http://${host}/to?url=${target}`)).length).toBe(1000);
  });

  test("says who it is, asks for no compression, sends nothing else of note", async () => {
    seen.length = 0;
    await createFetchImage(policy())(`http://${host}/picture?x=1#fragment`);
    expect(seen.map(({ method, url }) => [method, url])).toEqual([["GET", "/picture?x=1"]]);
    const { connection, ...headers } = seen[0]!.headers;
    expect(connection).toBeDefined();
    expect(headers).toEqual({
      host,
      "user-agent": "Portico (image-embedding operator)",
      accept: "image/*,*/*;q=0.5",
      "accept-encoding": "identity",
    });
  });

  test.each(["/hang", "/drip"])("%s ends with the deadline, and its connection with it", async (path) => {
    const start = performance.now();
    expect(await outcome(createFetchImage(policy({ timeoutMs: 150 }))(`http://${host}${path}`))).toBe(
      unreachable("no whole answer within 150 ms (--fetch-timeout-ms)"),
    );
    expect(performance.now() - start).toBeLessThan(1500);
    await allClosed();
  });

  test("the deadline covers redirects and body together", async () => {
    const fetchImage = createFetchImage(policy({ timeoutMs: 150 }));
    expect(await outcome(fetchImage(`http://${host}/to?url=${encodeURIComponent("/drip")}`))).toBe(
      unreachable("no whole answer within 150 ms (--fetch-timeout-ms)"),
    );
  });

  test("the HTTP status is part of the error, as a number", async () => {
    const detailOf = (path: string) =>
      createFetchImage(policy())(`http://${host}${path}`).then(
        () => "OK",
        (error: EmbedError) => error.detail,
      );
    expect(await detailOf("/missing")).toEqual({ httpStatus: 404 });
    expect(await detailOf("/busy")).toEqual({ httpStatus: 503 });
    expect(await detailOf("/nowhere")).toEqual({ httpStatus: 302 });
    expect(await detailOf("/gzip")).toBeUndefined();
    expect(await detailOf(`/to?url=${encodeURIComponent("/missing")}`)).toEqual({ httpStatus: 404 });
  });

  test("no redirect at all is followed if that is the limit", async () => {
    const fetchImage = createFetchImage(policy({ maxRedirects: 0 }));
    expect((await fetchImage(`http://${host}/picture`)).length).toBe(1000);
    expect(await outcome(fetchImage(`http://${host}/relative`))).toBe(
      unreachable("more than 0 redirects (--fetch-max-redirects)"),
    );
  });

  test("every fetch that began is reported once, with its time, bytes and outcome", async () => {
    const reports: FetchReport[] = [];
    const fetchImage = createFetchImage(policy({ timeoutMs: 150 }), {
      onFetched: (report) => reports.push(report),
    });
    for (const path of ["/picture", "/missing", "/hang"]) await outcome(fetchImage(`http://${host}${path}`));
    await outcome(fetchImage("http://127.0.0.1:22/"));
    const ms = expect.any(Number);
    expect(reports).toEqual([
      { ms, bytes: 1000, outcome: "OK" },
      { ms, bytes: 0, outcome: "SOURCE_UNREACHABLE" },
      { ms, bytes: 0, outcome: "SOURCE_UNREACHABLE" },
    ]);
    expect(reports[2]!.ms).toBeGreaterThan(140);
  });

  test("an abort ends the call and drops the connection", async () => {
    const caller = new AbortController();
    const reached = new Promise<http.ServerResponse>((resolve) => {
      hung = resolve;
    });
    const pending = outcome(createFetchImage(policy())(`http://${host}/hang`, { signal: caller.signal }));
    const response = await reached;
    caller.abort();
    expect(await pending).toBe("CANCELLED: the caller went away before the work was done");
    if (!response.destroyed) await once(response, "close");
    await allClosed();
  });

  test("an abort while the body comes, and a deadline of the caller's own, say which it was", async () => {
    const caller = new AbortController();
    const pending = outcome(createFetchImage(policy())(`http://${host}/drip`, { signal: caller.signal }));
    setTimeout(() => caller.abort(), 50);
    expect(await pending).toBe("CANCELLED: the caller went away before the work was done");
    const signal = AbortSignal.timeout(50);
    expect(await outcome(createFetchImage(policy())(`http://${host}/drip`, { signal }))).toBe(
      "DEADLINE_EXCEEDED: the caller's deadline passed before the work was done",
    );
    expect(
      await outcome(createFetchImage(policy())(`http://${host}/picture`, { signal: AbortSignal.abort() })),
    ).toBe("CANCELLED: the caller went away before the work was done");
  });

  test("no more than maxConcurrent at once", async () => {
    const waiting: http.ServerResponse[] = [];
    let most = 0;
    hung = (response) => {
      waiting.push(response);
      most = Math.max(most, waiting.length);
      setTimeout(() => waiting.splice(waiting.indexOf(response), 1)[0]?.end("x"), 20);
    };
    const fetchImage = createFetchImage(policy({ maxConcurrent: 3 }));
    const all = await Promise.all(
      Array.from({ length: 10 }, () => outcome(fetchImage(`http://${host}/hang`))),
    );
    expect(all).toEqual(Array(10).fill("x"));
    expect(most).toBe(3);
  });

  test("an answer that is not HTTP, and TLS spoken to a plain port", async () => {
    const raw = net.createServer((socket) => {
      socket.on("error", () => undefined);
      socket.once("data", () => socket.end("220 mail.example ESMTP\r\n"));
    });
    raw.listen(0, "127.0.0.1");
    await once(raw, "listening");
    const rawHost = `127.0.0.1:${(raw.address() as AddressInfo).port}`;
    const fetchImage = createFetchImage(policy({ allowHosts: [rawHost] }));
    expect(await outcome(fetchImage(`http://${rawHost}/`))).toBe(
      `SOURCE_UNREACHABLE: ${rawHost} could not be reached: its answer is not valid HTTP`,
    );
    expect(await outcome(fetchImage(`https://${rawHost}/`))).toMatch(
      new RegExp(`^SOURCE_UNREACHABLE: ${rawHost} could not be reached: TLS failed \\(\\w+\\)$`),
    );
    raw.close();
    await once(raw, "close");
    expect(await outcome(fetchImage(`http://${rawHost}/`))).toBe(
      `SOURCE_UNREACHABLE: ${rawHost} could not be reached: the connection was refused`,
    );
  });

  /** Every connection to the server is gone within two seconds. */
  async function allClosed(): Promise<void> {
    await expect.poll(() => open.size, { timeout: 2000 }).toBe(0);
  }
});
