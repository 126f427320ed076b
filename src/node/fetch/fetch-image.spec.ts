import net from "node:net";
import { describe, expect, test } from "vitest";
import { outcome } from "../../../tools/picture-server.ts";
import type { Dial } from "./fetch-connect.ts";
import { createFetchImage, type FetchRefusal } from "./fetch-image.ts";
import { defaultFetchPolicy } from "./fetch-policy.ts";

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
