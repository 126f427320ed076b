import type { LookupAddress } from "node:dns";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type LoopbackDns, startLoopbackDns } from "../../../tools/loopback-dns.ts";
import { createResolveName, type ResolveName } from "./fetch-resolve.ts";

const turn = () => new Promise((resolve) => setImmediate(resolve));
const addressesOf = async (answer: Promise<readonly LookupAddress[]>) =>
  (await answer).map(({ address, family }) => `${family} ${address}`);

describe("names that strangers choose, asked of a name server on loopback", () => {
  let dns: LoopbackDns;
  let resolve: ResolveName;
  const ask = (hostname: string, signal = new AbortController().signal) =>
    addressesOf(resolve(hostname, { asSystem: false, signal }));

  beforeAll(async () => {
    dns = await startLoopbackDns({
      "both.example": { A: ["192.0.2.1", "192.0.2.2", "192.0.2.3"], AAAA: ["2001:db8::1"] },
      "four.example": { A: ["192.0.2.4"] },
      "six.example": { AAAA: ["2001:db8::6"] },
      "half.example": { A: ["192.0.2.5"], AAAA: "silent" },
      "none.example": {},
      "silent.example": { A: "silent", AAAA: "silent" },
    });
    resolve = createResolveName({
      lookupAll: () => expect.unreachable("the system was asked"),
      servers: [dns.server],
    });
  });
  afterAll(() => dns.close());

  test.each([
    ["both.example", ["4 192.0.2.1", "6 2001:db8::1", "4 192.0.2.2", "4 192.0.2.3"]],
    ["four.example", ["4 192.0.2.4"]],
    ["six.example", ["6 2001:db8::6"]],
    ["localhost", ["4 127.0.0.1", "6 ::1"]],
    ["localhost.", ["4 127.0.0.1", "6 ::1"]],
    ["a.localhost", ["4 127.0.0.1", "6 ::1"]],
  ])("%s is %j", async (hostname, addresses) => {
    expect(await ask(hostname)).toEqual(addresses);
    expect(dns.asked.some((question) => question.endsWith("localhost"))).toBe(false);
  });

  test.each(["none.example", "unknown.example", "127.0.0.1.."])("%s has no address", async (hostname) => {
    await expect(ask(hostname)).rejects.toThrow(AggregateError);
  });

  test("a short name is asked for as it stands: no search domain turns it into a host of ours", async () => {
    await expect(ask("minio")).rejects.toThrow();
    expect(dns.asked.filter((question) => question.includes("minio")).sort()).toEqual([
      "A minio",
      "AAAA minio",
    ]);
  });

  test("a name server that never answers for IPv6 does not keep IPv4 from being used", async () => {
    expect(await ask("half.example")).toEqual(["4 192.0.2.5"]);
  });

  test("names that get no answer do not make another wait, and end with their callers", async () => {
    const caller = new AbortController();
    let pending = 0;
    const silent = Array.from({ length: 50 }, async () => {
      pending += 1;
      await expect(ask("silent.example", caller.signal)).rejects.toThrow();
      pending -= 1;
    });
    expect(await ask("four.example")).toEqual(["4 192.0.2.4"]);
    expect(pending).toBe(50);
    caller.abort();
    await Promise.all(silent);
    await expect(ask("four.example", caller.signal)).rejects.toThrow("aborted");
  });
});

describe("names that the operator trusts, resolved as by the system", () => {
  /** Lookups end when told to; `begun` lists those that hold a thread or have held one. */
  function stubSystem() {
    const begun: string[] = [];
    const ends = new Map<string, () => void>();
    const resolve = createResolveName({
      lookupAll: (hostname) => {
        begun.push(hostname);
        return new Promise((end) => ends.set(hostname, () => end([{ address: "10.0.0.1", family: 4 }])));
      },
    });
    const ask = (hostname: string, signal = new AbortController().signal) =>
      addressesOf(resolve(hostname, { asSystem: true, signal }));
    return { begun, ask, end: (hostname: string) => ends.get(hostname)?.() };
  }

  test("is the system's own resolver, with /etc/hosts", async () => {
    const { signal } = new AbortController();
    const addresses = await createResolveName()("localhost", { asSystem: true, signal });
    expect(addresses.map(({ address }) => address)).toContain("127.0.0.1");
  });

  test("two at once; the next begins when one ends", async () => {
    const { begun, ask, end } = stubSystem();
    const answers = ["a", "b", "c"].map((name) => ask(name));
    await turn();
    expect(begun).toEqual(["a", "b"]);
    end("b");
    expect(await answers[1]).toEqual(["4 10.0.0.1"]);
    await turn();
    expect(begun).toEqual(["a", "b", "c"]);
  });

  test("a slow name takes one of the two places, however many ask for it", async () => {
    const { begun, ask, end } = stubSystem();
    const slow = Array.from({ length: 20 }, () => ask("slow"));
    const quick = ask("quick");
    await turn();
    expect(begun).toEqual(["slow", "quick"]);
    end("quick");
    await quick;
    end("slow");
    expect(await Promise.all(slow)).toEqual(Array(20).fill(["4 10.0.0.1"]));
  });

  test("a caller who goes is let go at once; the lookup serves the next who asks", async () => {
    const { begun, ask, end } = stubSystem();
    const caller = new AbortController();
    const gone = ask("slow", caller.signal);
    await turn();
    caller.abort();
    await expect(gone).rejects.toMatchObject({ reason: "CANCELLED" });
    const next = ask("slow");
    end("slow");
    expect(await next).toEqual(["4 10.0.0.1"]);
    expect(begun).toEqual(["slow"]);
  });

  test("a name whose callers have all gone is not looked up any more", async () => {
    const { begun, ask, end } = stubSystem();
    const held = [ask("a"), ask("b")];
    await turn();
    const caller = new AbortController();
    const gone = Array.from({ length: 100 }, (_, i) => ask(`gone${i}`, caller.signal));
    const stays = ask("stays");
    const outcomes = Promise.allSettled(gone);
    caller.abort();
    expect((await outcomes).every(({ status }) => status === "rejected")).toBe(true);
    end("a");
    end("b");
    await Promise.all(held);
    await turn();
    end("stays");
    expect(await stays).toEqual(["4 10.0.0.1"]);
    expect(begun).toEqual(["a", "b", "stays"]);
  });

  test("a lookup that failed is not kept", async () => {
    let calls = 0;
    const resolve = createResolveName({
      lookupAll: async () => {
        calls += 1;
        if (calls === 1) throw new Error("getaddrinfo EAI_AGAIN");
        return [{ address: "10.0.0.1", family: 4 }];
      },
    });
    const options = { asSystem: true, signal: new AbortController().signal };
    await expect(resolve("minio", options)).rejects.toThrow("EAI_AGAIN");
    expect(await resolve("minio", options)).toHaveLength(1);
  });
});
