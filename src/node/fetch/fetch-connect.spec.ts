import type { LookupAddress } from "node:dns";
import { describe, expect, test } from "vitest";
import { createGuardedConnect, type Dial, nodeDial } from "./fetch-connect.ts";
import { defaultFetchPolicy, toFetchRules } from "./fetch-policy.ts";
import type { ResolveOptions } from "./fetch-resolve.ts";

const neverAborted = new AbortController().signal;

interface StubOptions {
  readonly allowHosts?: readonly string[];
  readonly allowPrivate?: boolean;
  readonly ownAddresses?: readonly string[];
  readonly port?: string;
  readonly signal?: AbortSignal;
  /** Filled with how the names were asked for. */
  readonly asked?: ResolveOptions[];
}

/**
 * Dials with stubs: `answers` gives what each lookup of a name answers, in turn. The outcome is the addresses
 * that would have been dialled, or why none was.
 */
async function outcome(
  hostname: string,
  answers: readonly (readonly string[])[],
  options: StubOptions = {},
): Promise<{ dialled: string[] | undefined; error: string | undefined; lookups: number }> {
  let dialled: string[] | undefined;
  const { allowHosts = [], allowPrivate = false, ownAddresses = [], asked = [] } = options;
  let lookups = 0;
  const dial: Dial = {
    resolve: async (_hostname, how): Promise<LookupAddress[]> => {
      asked.push(how);
      const answer = answers[lookups++];
      if (!answer) throw new Error("queryA ENOTFOUND");
      return answer.map((address) => ({ address, family: address.includes(":") ? 6 : 4 }));
    },
    connect: (_target, addresses, _timeoutMs, callback) => {
      dialled = addresses.map(({ address }) => address);
      callback(new Error("stub"), null);
    },
    isOwnAddress: ({ address }) => ownAddresses.includes(address),
  };
  const connect = createGuardedConnect(
    dial,
    toFetchRules({ ...defaultFetchPolicy, allowHosts, allowPrivate }),
    1000,
    options.signal ?? neverAborted,
  );
  const error = await new Promise<Error | null>((resolve) => {
    connect({ hostname, protocol: "http:", port: options.port ?? "" }, (...[failure]) => resolve(failure));
  });
  return { dialled, error: error?.message === "stub" ? undefined : error?.message, lookups };
}

const metadata = "cloud metadata service";

/** What a hostile name server may answer; one bad address among good ones is enough to refuse. */
const blocked: readonly [what: string, answers: readonly string[], why: string][] = [
  ["loopback", ["127.0.0.1"], "127.0.0.1 (loopback)"],
  ["IPv6 loopback", ["::1"], "::1 (loopback)"],
  ["a private address", ["10.1.2.3"], "10.1.2.3 (private)"],
  ["metadata", ["169.254.169.254"], `169.254.169.254 (${metadata})`],
  ["metadata that looks public", ["168.63.129.16"], `168.63.129.16 (${metadata})`],
  ["mapped loopback", ["::ffff:127.0.0.1"], "::ffff:127.0.0.1 (ipv4Mapped of loopback)"],
  ["NAT64 of a private address", ["64:ff9b::a00:1"], "64:ff9b::a00:1 (rfc6052 of private)"],
  ["6to4 of loopback", ["2002:7f00:1::"], "2002:7f00:1:: (6to4 of loopback)"],
  ["a zone index", ["fe80::1%eth0"], "fe80::1%eth0 (not a plain IP address)"],
  ["public first, private second", ["8.8.8.8", "10.0.0.1"], "10.0.0.1 (private)"],
  ["private first, public second", ["10.0.0.1", "8.8.8.8"], "10.0.0.1 (private)"],
  ["public IPv4, loopback IPv6", ["8.8.8.8", "::1"], "::1 (loopback)"],
  [
    "many public, one metadata",
    ["8.8.8.8", "8.8.4.4", "1.1.1.1", "169.254.169.254"],
    `169.254.169.254 (${metadata})`,
  ],
  ["no address at all", ["not an address"], "not an address (not a plain IP address)"],
];

describe("createGuardedConnect", () => {
  test.each(blocked)("a name that resolves to %s is not dialled", async (_what, answers, why) => {
    expect(await outcome("rebind.example", [answers])).toEqual({
      dialled: undefined,
      error: `rebind.example is ${why}`,
      lookups: 1,
    });
  });

  test.each([
    ["127.0.0.1", "127.0.0.1 (loopback)"],
    ["::1", "::1 (loopback)"],
    ["::ffff:7f00:1", "::ffff:7f00:1 (ipv4Mapped of loopback)"],
    ["169.254.169.254", `169.254.169.254 (${metadata})`],
    ["fd00:ec2::254", `fd00:ec2::254 (${metadata})`],
  ])("a literal %s is checked although nothing looks it up", async (literal, why) => {
    expect(await outcome(literal, [])).toEqual({
      dialled: undefined,
      error: `${literal} is ${why}`,
      lookups: 0,
    });
  });

  test("public answers are dialled, all of them and nothing else", async () => {
    const answers = ["8.8.8.8", "2606:4700:4700::1111"];
    expect(await outcome("good.example", [answers])).toEqual({
      dialled: answers,
      error: undefined,
      lookups: 1,
    });
  });

  test("rebinding: what was checked is what is dialled, the second answer is never asked for", async () => {
    expect(await outcome("rebind.example", [["8.8.8.8"], ["127.0.0.1"]])).toEqual({
      dialled: ["8.8.8.8"],
      error: undefined,
      lookups: 1,
    });
  });

  test("a name that is not known, or has no address, is not dialled", async () => {
    expect((await outcome("gone.example", [])).error).toBe("gone.example was not resolved");
    expect((await outcome("empty.example", [[]])).error).toBe("empty.example has no address");
  });

  test("a listed host may be private, on the listed port only", async () => {
    const allowHosts = ["minio:9000", "[::1]:9000"];
    expect((await outcome("minio", [["10.0.0.5"]], { allowHosts, port: "9000" })).dialled).toEqual([
      "10.0.0.5",
    ]);
    expect((await outcome("minio", [["10.0.0.5"]], { allowHosts })).error).toBe(
      "minio is 10.0.0.5 (private)",
    );
    expect((await outcome("::1", [], { allowHosts, port: "9000" })).dialled).toEqual(["::1"]);
    expect((await outcome("::1", [], { allowHosts, port: "9001" })).error).toBe("::1 is ::1 (loopback)");
  });

  test("a listed name never leads to a metadata service; its address, listed itself, does", async () => {
    const allowHosts = ["minio", "169.254.169.254"];
    expect((await outcome("minio", [["169.254.169.254"]], { allowHosts })).error).toBe(
      `minio is 169.254.169.254 (${metadata})`,
    );
    expect((await outcome("169.254.169.254", [], { allowHosts })).dialled).toEqual(["169.254.169.254"]);
  });

  test.each([
    ["10.1.2.3", undefined],
    ["172.16.0.1", undefined],
    ["192.168.1.1", undefined],
    ["100.64.0.1", undefined],
    ["fd12:3456::1", undefined],
    ["8.8.8.8", undefined],
    ["127.0.0.1", "loopback"],
    ["::1", "loopback"],
    ["0.0.0.0", "unspecified"],
    ["fe80::1", "linkLocal"],
    ["224.0.0.1", "multicast"],
    ["255.255.255.255", "broadcast"],
    ["192.0.2.1", "reserved"],
    ["::ffff:10.0.0.1", "ipv4Mapped of private"],
    ["64:ff9b::a00:1", "rfc6052 of private"],
    ["2002:a00:1::", "6to4 of private"],
    ["169.254.169.254", metadata],
    ["169.254.170.2", metadata],
    ["100.100.100.200", metadata],
    ["168.63.129.16", metadata],
    ["192.0.0.192", metadata],
    ["fd00:ec2::254", metadata],
    ["fd20:ce::254", metadata],
    ["fd00:c1::a9fe:a9fe", metadata],
    ["::ffff:169.254.169.254", `ipv4Mapped of ${metadata}`],
    ["10.9.9.9", "an address of this machine"],
  ])("--allow-private and %s: %s", async (address, why) => {
    const options = { allowPrivate: true, ownAddresses: ["10.9.9.9", "8.8.8.8"] };
    const expected = why === undefined ? { dialled: [address] } : { dialled: undefined };
    const error = why === undefined ? undefined : `nas.example is ${address} (${why})`;
    expect(await outcome("nas.example", [[address]], options)).toEqual({ ...expected, error, lookups: 1 });
    expect(await outcome(address, [], options)).toEqual({
      ...expected,
      error: error?.replace("nas.example", address),
      lookups: 0,
    });
  });

  test("--allow-private: one bad address among private ones is enough to refuse", async () => {
    expect(
      await outcome("nas.example", [["10.0.0.1", "169.254.169.254"]], { allowPrivate: true }),
    ).toMatchObject({ dialled: undefined, error: `nas.example is 169.254.169.254 (${metadata})` });
  });

  test("a listed host may be at an address of this machine", async () => {
    const options = { allowHosts: ["minio"], ownAddresses: ["10.9.9.9"] };
    expect((await outcome("minio", [["10.9.9.9"]], options)).dialled).toEqual(["10.9.9.9"]);
  });

  test("only names that the operator trusts are resolved as by the system", async () => {
    const asked: ResolveOptions[] = [];
    await outcome("stranger.example", [["8.8.8.8"]], { allowHosts: ["minio"], asked });
    await outcome("minio", [["10.0.0.5"]], { allowHosts: ["minio"], asked });
    await outcome("minio", [["10.0.0.5"]], { allowHosts: ["minio"], asked, port: "9000" });
    await outcome("stranger.example", [["10.0.0.5"]], { allowPrivate: true, asked });
    expect(asked.map(({ asSystem }) => asSystem)).toEqual([false, true, false, true]);
  });

  test("of thousands of addresses only the first few are dialled, though all are checked", async () => {
    const many = Array.from({ length: 3000 }, (_, i) => `8.8.${i >> 8}.${i & 255}`);
    expect((await outcome("flood.example", [many])).dialled).toEqual(many.slice(0, 8));
    expect((await outcome("flood.example", [[...many, "127.0.0.1"]])).error).toBe(
      "flood.example is 127.0.0.1 (loopback)",
    );
  });

  test("an address of this machine is known as such", () => {
    expect(nodeDial.isOwnAddress({ address: "127.0.0.1", family: 4 })).toBe(true);
    expect(nodeDial.isOwnAddress({ address: "8.8.8.8", family: 4 })).toBe(false);
    expect(nodeDial.isOwnAddress({ address: "2606:4700:4700::1111", family: 6 })).toBe(false);
  });

  test("nothing is dialled for a caller who has gone while the name was resolved", async () => {
    const result = await outcome("good.example", [["8.8.8.8"]], { signal: AbortSignal.abort() });
    expect(result).toEqual({ dialled: undefined, error: "aborted before dialling", lookups: 1 });
  });
});
