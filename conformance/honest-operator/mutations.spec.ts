import { create } from "@bufbuild/protobuf";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ExecuteReply, IdentityReply } from "../../src/gen/omnisearch/operator_pb.ts";
import { Code } from "../../src/gen/portico/conformance/v1/suite_pb.ts";
import {
  type BatchFailure,
  BatchFailureSchema,
  ItemFailureSchema,
} from "../../src/gen/portico/v1/errors_pb.ts";
import {
  CallError,
  detailOf,
  fetchTimeoutMs,
  files,
  ItemError,
  type Parts,
  readBody,
  refuse,
} from "./honest-operator.ts";
import { serveConnect, serveGrpc } from "./serve-operator.ts";
import { openTestBench, type TestBench } from "./test-bench.ts";

let bench: TestBench;

beforeAll(async () => {
  bench = await openTestBench();
});

afterAll(() => bench.close());

interface Mutation {
  readonly defect: string;
  readonly caughtBy: string;
  /** A part of the reason that the report gives. */
  readonly reason: string;
  readonly change: (parts: Parts) => Partial<Parts>;
  /** Where the defect shows; gRPC by default. */
  readonly transport?: "grpc" | "connect-json" | "connect";
}

/** Changes each reply that has vectors. */
const onReply = (parts: Parts, change: (reply: ExecuteReply) => void): Partial<Parts> => ({
  reply: (vectors) => {
    const made = parts.reply(vectors);
    change(made);
    return made;
  },
});

const onVectors = (parts: Parts, change: (vectors: number[][]) => number[][]): Partial<Parts> => ({
  reply: (vectors) => parts.reply(change(vectors)),
});

const onIdentity = (parts: Parts, change: Partial<Record<keyof IdentityReply, string>>): Partial<Parts> => ({
  identity: () => Object.assign(parts.identity(), change),
});

const onDetail = (change: (detail: BatchFailure) => void): Partial<Parts> => ({
  refuse: (failures) => {
    const detail = detailOf(failures);
    change(detail);
    throw new CallError(Code.INVALID_ARGUMENT, "failed", detail);
  },
});

/** Runs `first` before the honest part. */
const onText = (parts: Parts, check: (text: string) => void): Partial<Parts> => ({
  decode: (text) => {
    check(text);
    return parts.decode(text);
  },
});

const refuseIf = (condition: boolean): void => {
  if (condition) throw new ItemError("BASE64_INVALID", "refused");
};

/** The next call after a failed one fails too. */
function poisoned(parts: Parts): Partial<Parts> {
  let broken = false;
  return {
    refuse: (failures, results) => {
      broken = true;
      return parts.refuse(failures, results);
    },
    reply: (vectors) => {
      if (broken) throw new CallError(Code.UNAVAILABLE, "the decoder has crashed");
      return parts.reply(vectors);
    },
  };
}

/** Each call gives slightly other numbers, far within every tolerance. */
function jittering(parts: Parts): Partial<Parts> {
  let calls = 0;
  return onVectors(parts, (vectors) => {
    calls++;
    return vectors.map((vector) => vector.map((value) => value + calls * 1e-8));
  });
}

const fetchAnything = async (url: string): Promise<Uint8Array> => {
  const response = await fetch(url, { signal: AbortSignal.timeout(fetchTimeoutMs) });
  return Buffer.from(await response.arrayBuffer());
};

const mutations: readonly Mutation[] = [
  // Identity and Healthy.
  {
    defect: "another name",
    caughtBy: "identity/resnet50-encoder",
    reason: 'expected name "resnet50_encoder", got "resnet50"',
    change: (p) => onIdentity(p, { name: "resnet50" }),
  },
  {
    defect: "another type",
    caughtBy: "identity/encoder-of-images",
    reason: 'expected type "encoder", got "Encoder"',
    change: (p) => onIdentity(p, { type: "Encoder" }),
  },
  {
    defect: "a dimension that is no integer",
    caughtBy: "identity/encoder-of-images",
    reason: 'expected an integer as dimension, got "2048.0"',
    change: (p) => onIdentity(p, { dimension: "2048.0" }),
  },
  {
    defect: "another metric",
    caughtBy: "identity/resnet50-encoder",
    reason: 'expected metricType "L2", got "IP"',
    change: (p) => onIdentity(p, { metricType: "IP" }),
  },
  {
    defect: "no endpoint",
    caughtBy: "identity/encoder-of-images",
    reason: 'expected host:port as endpoint, got ""',
    change: (p) => onIdentity(p, { endpoint: "" }),
  },
  {
    defect: "a dimension that the vectors do not have",
    caughtBy: "request/one-picture",
    reason: "vector 0: expected 512 elements, as Identity says, got 2048",
    change: (p) => onIdentity(p, { dimension: "512" }),
  },
  {
    defect: "another word for healthy",
    caughtBy: "healthy/says-healthy",
    reason: 'expected "healthy", got "Healthy"',
    change: () => ({ healthy: () => "Healthy" }),
  },
  {
    defect: "a method that does not exist is answered",
    caughtBy: "method/unknown-is-unimplemented",
    reason: "expected unimplemented, got a reply",
    change: (p) => ({ methods: [...p.methods, "Segment"] }),
  },
  // Replies.
  {
    defect: "vectors shifted by one",
    caughtBy: "request/batch-in-order",
    reason: "it is the vector of photo/allium-oreophilum.jpg",
    change: (p) => onVectors(p, (v) => [...v.slice(1), ...v.slice(0, 1)]),
  },
  {
    defect: "vectors in the order in which they are done",
    caughtBy: "request/slow-picture-first",
    reason: "vector 0: expected that of photo/black-canyon.jpg",
    change: (p) => onVectors(p, (v) => v.toReversed()),
  },
  {
    defect: "the last vector is lost",
    caughtBy: "request/batch-in-order",
    reason: "expected 4 vectors, got 3",
    change: (p) => onVectors(p, (v) => (v.length > 1 ? v.slice(0, -1) : v)),
  },
  {
    defect: "equal pictures are answered once",
    caughtBy: "request/same-picture-twice-in-a-batch",
    reason: "expected 3 vectors, got 2",
    change: (p) => onVectors(p, (v) => [...new Map(v.map((vector) => [String(vector), vector])).values()]),
  },
  {
    defect: "wrong nums",
    caughtBy: "request/batch-in-order",
    reason: "expected nums 4, got 1",
    change: (p) =>
      onReply(p, (r) => {
        r.nums = 1n;
      }),
  },
  {
    defect: "metadata of an encoder",
    caughtBy: "request/one-picture",
    reason: "expected no metadata, got 1 entries",
    change: (p) =>
      onReply(p, (r) => {
        r.metadata.push({ $typeName: "omnisearch.MetaData", url: "", data: new Uint8Array(0) });
      }),
  },
  {
    defect: "no normalisation",
    caughtBy: "request/one-picture",
    reason: "expected L2 norm 1, got 3",
    change: (p) => onVectors(p, (v) => v.map((vector) => vector.map((value) => value * 3))),
  },
  {
    defect: "a NaN",
    caughtBy: "request/one-picture",
    reason: "expected L2 norm 1, got NaN",
    change: (p) => onVectors(p, (v) => v.map((vector) => vector.with(7, Number.NaN))),
  },
  {
    defect: "an element off by 2e-6",
    caughtBy: "photographs/black-canyon",
    reason: "within 0.000001 and cosine 0.999999, got max abs 2.00e-6",
    change: (p) => onVectors(p, (v) => v.map((vector) => vector.with(0, vector[0]! + 2e-6))),
  },
  {
    defect: "half of the vector",
    caughtBy: "photographs/march-pastoral",
    reason: "expected 2048 elements, as Identity says, got 1024",
    change: (p) => onVectors(p, (v) => v.map((vector) => vector.slice(0, 1024))),
  },
  {
    defect: "one vector for everything",
    caughtBy: "photographs/nagasaki-boats",
    reason: "expected that of photo/nagasaki-boats.jpg",
    change: () => ({ embed: () => Array.from(files.vector("photo/black-canyon.jpg")) }),
  },
  {
    defect: "another vector each time",
    caughtBy: "request/repeat-is-bit-identical",
    reason: "step 1: the vectors differ from those of the first step",
    change: jittering,
  },
  {
    defect: "another vector over another transport",
    caughtBy: "request/same-over-all-transports",
    reason: "the vectors differ from those over connect",
    change: jittering,
    transport: "connect-json",
  },
  // Requests.
  {
    defect: "an empty request is an error",
    caughtBy: "request/empty-gives-empty-reply",
    reason: "expected a reply, got invalid_argument",
    change: (p) => ({ reply: (v) => (v.length === 0 ? p.refuse([], []) : p.reply(v)) }),
  },
  {
    defect: "both lists are refused",
    caughtBy: "request/datas-with-empty-urls",
    reason: 'got invalid_argument ("both lists")',
    change: (p) => ({
      choose: (r) => {
        if (r.datas.length > 0 && r.urls.length > 0) throw new CallError(Code.INVALID_ARGUMENT, "both lists");
        return p.choose(r);
      },
    }),
  },
  {
    defect: "both lists are joined",
    caughtBy: "request/datas-with-empty-urls",
    reason: "expected a reply, got invalid_argument",
    change: () => ({ choose: ({ datas, urls }) => ({ list: [...datas, ...urls], areUrls: false }) }),
  },
  {
    defect: "urls win",
    caughtBy: "request/datas-win-over-urls",
    reason: "expected a reply, got invalid_argument",
    change: (p) => ({ choose: (r) => (r.urls.length > 0 ? { list: r.urls, areUrls: true } : p.choose(r)) }),
  },
  {
    defect: "gRPC's default of 4 MiB a message",
    caughtBy: "request/large-message",
    reason: "resource_exhausted",
    change: () => ({ maxMessageBytes: 4 * 2 ** 20 }),
  },
  // Base64.
  {
    defect: "no data URIs",
    caughtBy: "base64/data-uri",
    reason: "got invalid_argument",
    change: (p) => onText(p, (t) => refuseIf(t.startsWith("data:"))),
  },
  {
    defect: "data URIs in lower case only",
    caughtBy: "base64/data-uri-any-letter-case",
    reason: "got invalid_argument",
    change: (p) => onText(p, (t) => refuseIf(/^data:[^,]*base64,/i.test(t) && !/^data:[^,]*base64,/.test(t))),
  },
  {
    defect: "no parameters in data URIs",
    caughtBy: "base64/data-uri-with-parameter",
    reason: "got invalid_argument",
    change: (p) => onText(p, (t) => refuseIf(/^data:[^,]*;.*;base64,/i.test(t.slice(0, 100)))),
  },
  {
    defect: "no data URIs without a type",
    caughtBy: "base64/data-uri-without-type",
    reason: "got invalid_argument",
    change: (p) => onText(p, (t) => refuseIf(t.startsWith("data:;"))),
  },
  {
    defect: "no white space",
    caughtBy: "base64/line-breaks",
    reason: "got invalid_argument",
    change: (p) => onText(p, (t) => refuseIf(/\s/.test(t))),
  },
  {
    defect: "padding is demanded",
    caughtBy: "base64/no-padding",
    reason: "got invalid_argument",
    change: (p) => onText(p, (t) => refuseIf(t.length % 4 !== 0 && !t.includes(","))),
  },
  {
    defect: "no url-safe alphabet",
    caughtBy: "base64/url-safe-alphabet",
    reason: "got invalid_argument",
    change: (p) => onText(p, (t) => refuseIf(/[-_]/.test(t))),
  },
  {
    defect: "foreign characters are skipped",
    caughtBy: "errors/base64-bad-character-inside",
    reason: "expected invalid_argument, got a reply with 1 vectors",
    change: (p) => ({ decode: (t) => p.decode(t.replaceAll(/[!*? ]/g, "")) }),
  },
  // Errors.
  {
    defect: "the bad items are left out",
    caughtBy: "errors/each-bad-index-is-named",
    reason: "expected invalid_argument, got a reply with 2 vectors",
    change: (p) => ({ refuse: (_, results) => p.reply(results.flatMap((v) => (v ? [v] : []))) }),
  },
  {
    defect: "the reply ends before the first bad item, as the original's",
    caughtBy: "errors/ten-with-one-bad-then-nine",
    reason: "step 0: expected invalid_argument, got a reply with 6 vectors",
    change: (p) => ({
      refuse: (failures, results) => p.reply(results.slice(0, failures[0]!.index) as number[][]),
    }),
  },
  {
    defect: "zeros in place of a bad item",
    caughtBy: "errors/html-page",
    reason: "expected invalid_argument, got a reply with 1 vectors",
    change: (p) => ({
      refuse: (_, results) => p.reply(results.map((v) => v ?? Array.from<number>({ length: 2048 }).fill(0))),
    }),
  },
  {
    defect: "another code",
    caughtBy: "errors/base64-invalid",
    reason: "expected invalid_argument, got internal",
    change: () => ({
      refuse: (failures) => {
        throw new CallError(Code.INTERNAL, "failed", detailOf(failures));
      },
    }),
  },
  {
    defect: "no error detail",
    caughtBy: "errors/base64-invalid",
    reason: "expected one error detail of portico.v1.BatchFailure, got 0",
    change: () => ({
      refuse: () => {
        throw new CallError(Code.INVALID_ARGUMENT, "failed");
      },
    }),
  },
  {
    defect: "no error detail over Connect",
    caughtBy: "errors/base64-invalid",
    reason: "expected one error detail of portico.v1.BatchFailure, got 0",
    change: () => ({
      refuse: () => {
        throw new CallError(Code.INVALID_ARGUMENT, "failed");
      },
    }),
    transport: "connect",
  },
  {
    defect: "only the first bad index",
    caughtBy: "errors/each-bad-index-is-named",
    reason: "got 0 BASE64_INVALID",
    change: () => ({ refuse: (failures) => refuse(failures.slice(0, 1)) }),
  },
  {
    defect: "indexes counted from 1",
    caughtBy: "errors/each-bad-index-is-named",
    reason: "got 1 BASE64_INVALID, 3 IMAGE_UNSUPPORTED",
    change: () => ({ refuse: (failures) => refuse(failures.map((f) => ({ ...f, index: f.index + 1 }))) }),
  },
  {
    defect: "messages beside the wrong index",
    caughtBy: "errors/each-bad-index-is-named",
    reason: "expected messages for the items",
    change: () =>
      onDetail((d) => {
        d.items.reverse();
      }),
  },
  {
    defect: "one reason for all",
    caughtBy: "errors/jpeg-12-bit",
    reason: "expected the bad items 0 IMAGE_UNSUPPORTED, got 0 IMAGE_CORRUPT",
    change: () => ({
      refuse: (failures) => refuse(failures.map((f) => ({ ...f, reason: "IMAGE_CORRUPT" }))),
    }),
  },
  {
    defect: "a message that does not name the format",
    caughtBy: "errors/avif-is-named",
    reason: 'expected "AVIF" in the message of item 0, got "not an image"',
    change: () =>
      onDetail((d) => {
        for (const item of d.items) item.message = "not an image";
      }),
  },
  {
    defect: "an empty message",
    caughtBy: "errors/html-page",
    reason: "item 0 has no message",
    change: () =>
      onDetail((d) => {
        for (const item of d.items) item.message = " ";
      }),
  },
  {
    defect: "all messages, beyond 8 KiB of trailers",
    caughtBy: "errors/hundreds-of-bad-items-are-all-named",
    reason: "most clients refuse more than 8192",
    change: () => ({
      refuse: (failures) => {
        throw new CallError(
          Code.INVALID_ARGUMENT,
          "failed",
          create(BatchFailureSchema, {
            ...detailOf(failures),
            items: failures.map((f) => create(ItemFailureSchema, f)),
          }),
        );
      },
    }),
  },
  {
    defect: "the indexes are cut too",
    caughtBy: "errors/hundreds-of-bad-items-are-all-named",
    reason: "expected the bad items 0 IMAGE_UNSUPPORTED",
    change: () => ({ refuse: (failures) => refuse(failures.slice(0, 100)) }),
  },
  {
    defect: "a failed batch breaks the next one",
    caughtBy: "errors/ten-with-one-bad-then-nine",
    reason: "step 1: expected a reply, got unavailable",
    change: poisoned,
  },
  {
    defect: "a crashed decoder stays crashed",
    caughtBy: "errors/good-after-bad",
    reason: "step 1: expected a reply, got unavailable",
    change: poisoned,
  },
  {
    defect: "a truncated picture is embedded",
    caughtBy: "errors/jpeg-cut-in-half",
    reason: "expected invalid_argument, got a reply with 1 vectors",
    change: (p) => ({
      embed: (bytes) => {
        try {
          return p.embed(bytes);
        } catch {
          return Array.from(files.vector("photo/black-canyon.jpg"));
        }
      },
    }),
  },
  {
    defect: "a format is missing",
    caughtBy: "formats/gif-89a",
    reason: "got invalid_argument",
    change: (p) => ({
      embed: (bytes) => {
        if (bytes[0] === 0x47) throw new ItemError("IMAGE_UNSUPPORTED", "no GIF");
        return p.embed(bytes);
      },
    }),
  },
  // URLs.
  {
    defect: "no urls",
    caughtBy: "urls/one",
    reason: "expected 1 vectors, got 0",
    change: () => ({ choose: ({ datas }) => ({ list: datas, areUrls: false }) }),
  },
  {
    defect: "redirects are not followed",
    caughtBy: "urls/redirects-are-followed",
    reason: "got invalid_argument",
    change: () => ({ fetch: async (url) => readBody(await fetch(url, { redirect: "manual" })) }),
  },
  {
    defect: "the status is not looked at",
    caughtBy: "urls/status-404-is-told",
    reason: "expected invalid_argument, got a reply with 1 vectors",
    change: () => ({ fetch: fetchAnything }),
  },
  {
    defect: "any address is fetched from",
    caughtBy: "urls/loopback-in-all-spellings",
    reason: "got 0 SOURCE_UNREACHABLE",
    change: () => ({
      fetch: (url) =>
        fetchAnything(url).catch(() => {
          throw new ItemError("SOURCE_UNREACHABLE", "failed");
        }),
    }),
  },
  {
    defect: "files are read",
    caughtBy: "urls/other-schemes",
    reason: "got 0 IMAGE_UNSUPPORTED",
    change: (p) => ({ fetch: async (url) => (url.startsWith("file:") ? new Uint8Array(1) : p.fetch(url)) }),
  },
  {
    defect: "a cut answer is taken",
    caughtBy: "urls/cut-off",
    reason: "got 0 IMAGE_CORRUPT",
    change: (p) => ({
      fetch: async (url) =>
        url.endsWith("/cut") ? files.image("photo/black-canyon.jpg").subarray(0, 1000) : p.fetch(url),
    }),
  },
];

describe("each defect is caught by the case that names it", () => {
  test.each(mutations)("$defect: $caughtBy", async ({ caughtBy, change, reason, transport = "grpc" }) => {
    const parts = { ...bench.honest, ...change(bench.honest) };
    const operator = transport === "grpc" ? await serveGrpc(parts) : await serveConnect(parts, "http/1.1");
    // A comparison of transports needs the one that comes before.
    const wanted = transport === "connect-json" ? ["connect", "connect-json"] : [transport];
    const results = await bench.run(
      operator,
      (candidate) => candidate.testCase.name === caughtBy && wanted.includes(candidate.transport.name),
    );
    expect(results.map((result) => result.transport)).toEqual(wanted);
    expect(results.at(-1)!.outcome).toBe("failed");
    expect(results.at(-1)!.reason).toContain(reason);
  });
});
