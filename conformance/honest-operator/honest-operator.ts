import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { create } from "@bufbuild/protobuf";
import { openFixtureFiles } from "../../src/conformance/fixture-files.ts";
import { packageFolder } from "../../src/conformance/package-folder.ts";
import {
  type ExecuteReply,
  ExecuteReplySchema,
  type ExecuteRequest,
  type IdentityReply,
  IdentityReplySchema,
} from "../../src/gen/omnisearch/operator_pb.ts";
import { Code } from "../../src/gen/portico/conformance/v1/suite_pb.ts";
import { type BatchFailure, BatchFailureSchema } from "../../src/gen/portico/v1/errors_pb.ts";

/**
 * An operator without a model: it knows every fixture by its hash and answers with the fixture's golden. The
 * suites must pass on it, and each defect put into it must be caught by the case that names it.
 */
export interface Parts {
  readonly identity: () => IdentityReply;
  readonly healthy: () => string;
  /** The texts to work on, and whether they are data or URLs. */
  readonly choose: (request: ExecuteRequest) => {
    readonly list: readonly string[];
    readonly areUrls: boolean;
  };
  readonly decode: (text: string) => Uint8Array;
  readonly fetch: (url: string) => Promise<Uint8Array>;
  readonly embed: (bytes: Uint8Array) => number[];
  readonly reply: (vectors: number[][]) => ExecuteReply;
  readonly refuse: (failures: readonly Failure[], results: readonly (number[] | undefined)[]) => ExecuteReply;
  readonly maxMessageBytes: number;
  readonly methods: readonly string[];
}

export interface Failure {
  readonly index: number;
  readonly reason: string;
  readonly message: string;
}

export class ItemError extends Error {
  readonly reason: string;
  constructor(reason: string, message: string) {
    super(message);
    this.reason = reason;
  }
}

export class CallError extends Error {
  readonly code: Code;
  readonly detail: BatchFailure | undefined;
  constructor(code: Code, message: string, detail?: BatchFailure) {
    super(message);
    this.code = code;
    this.detail = detail;
  }
}

const fixtures = join(packageFolder, "fixtures");
export const files = openFixtureFiles(fixtures);
const manifest = JSON.parse(readFileSync(join(fixtures, "manifest.json"), "utf8")) as {
  readonly images: readonly { readonly path: string; readonly expect: { readonly reason?: string } }[];
};

/** Bytes behind a picture's end are no part of it; no fixture is told from another by its last zeros. */
function hashOf(bytes: Uint8Array): string {
  let end = bytes.length;
  while (end > 0 && bytes[end - 1] === 0) end--;
  return createHash("sha256").update(bytes.subarray(0, end)).digest("hex");
}

const known = new Map(manifest.images.map((image) => [hashOf(files.image(image.path)), image]));

function identity(): IdentityReply {
  return create(IdentityReplySchema, {
    name: "resnet50_encoder",
    endpoint: "127.0.0.1:52001",
    type: "encoder",
    input: "image",
    output: "vector",
    dimension: "2048",
    metricType: "L2",
  });
}

function decode(text: string): Uint8Array {
  const uri = /^data:[^,]*;base64,/i.exec(text)?.[0] ?? "";
  const digits = text.slice(uri.length).replaceAll(/\s/g, "");
  const bare = digits.replace(/={1,2}$/, "");
  if (!/^([\w-]*|[a-z0-9+/]*)$/i.test(bare) || bare.length % 4 === 1) {
    throw new ItemError("BASE64_INVALID", "expected base64");
  }
  return Buffer.from(bare, "base64");
}

function embed(bytes: Uint8Array): number[] {
  if (bytes.length === 0) throw new ItemError("SOURCE_EMPTY", "no bytes");
  const image = known.get(hashOf(bytes));
  if (image?.expect.reason) throw new ItemError(image.expect.reason, image.path.replaceAll("-", " "));
  if (image) return Array.from(files.vector(image.path));
  const magic = Buffer.from(bytes.subarray(0, 4)).toString("latin1");
  if (magic.startsWith("\xff\xd8")) throw new ItemError("IMAGE_CORRUPT", "corrupt JPEG");
  if (magic === "\x89PNG") throw new ItemError("IMAGE_CORRUPT", "corrupt PNG");
  throw new ItemError("IMAGE_UNSUPPORTED", "not an image");
}

function reply(vectors: number[][]): ExecuteReply {
  return create(ExecuteReplySchema, {
    nums: BigInt(vectors.length),
    vectors: vectors.map((element) => ({ element })),
  });
}

/** Messages of the first items only, indexes of all: the trailers of a gRPC reply are small. */
export function detailOf(failures: readonly Failure[]): BatchFailure {
  const byReason = Map.groupBy(failures, ({ reason }) => reason);
  return create(BatchFailureSchema, {
    items: failures.slice(0, 20).map(({ index, reason, message }) => ({ index, reason, message })),
    indexes: [...byReason].map(([reason, group]) => ({ reason, indexes: group.map(({ index }) => index) })),
  });
}

export function refuse(failures: readonly Failure[]): never {
  throw new CallError(Code.INVALID_ARGUMENT, `${failures.length} items failed`, detailOf(failures));
}

const fetchMaxBytes = 2 ** 20;
/** Hosts that are slow on purpose are given up after it; good ones must not be, on a machine that is busy. */
export const fetchTimeoutMs = 1_000;

/** Fetches from one authority and from no other. */
export function createFetch(allowed: string): (url: string) => Promise<Uint8Array> {
  function check(text: string, base?: string): URL {
    const url = URL.parse(text, base);
    if (!url || url.protocol === "data:") throw new ItemError("SOURCE_INVALID", "no URL");
    if (url.protocol !== "http:") throw new ItemError("SOURCE_FORBIDDEN", "not http");
    if (url.host === allowed) return url;
    if (/^[\d.]+$|^\[/.test(url.hostname)) throw new ItemError("SOURCE_FORBIDDEN", "private address");
    throw new ItemError("SOURCE_UNREACHABLE", "unreachable");
  }
  return async (text) => {
    let url = check(text);
    const signal = AbortSignal.timeout(fetchTimeoutMs);
    try {
      for (let hops = 0; hops < 5; hops++) {
        const response = await fetch(url, { redirect: "manual", signal });
        const location = response.headers.get("location");
        if (location === null) return await readBody(response);
        url = check(location, url.href);
      }
      throw new ItemError("SOURCE_UNREACHABLE", "more than 5 redirects");
    } catch (error) {
      // What a redirect leads to is not told to the caller.
      if (error instanceof ItemError && !error.reason.endsWith("FORBIDDEN")) throw error;
      throw new ItemError("SOURCE_UNREACHABLE", "could not be fetched");
    }
  };
}

export async function readBody(response: Response): Promise<Uint8Array> {
  if (response.status !== 200) throw new ItemError("SOURCE_UNREACHABLE", `HTTP status ${response.status}`);
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of response.body ?? []) {
    length += chunk.length;
    if (length > fetchMaxBytes) throw new ItemError("SOURCE_TOO_LARGE", `more than ${fetchMaxBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

export function honestParts(fetchFrom: (url: string) => Promise<Uint8Array>): Parts {
  return {
    identity,
    healthy: () => "healthy",
    choose: ({ datas, urls }) =>
      datas.length > 0 ? { list: datas, areUrls: false } : { list: urls, areUrls: true },
    decode,
    fetch: fetchFrom,
    embed,
    reply,
    refuse,
    maxMessageBytes: 100 * 2 ** 20,
    methods: ["Identity", "Healthy", "Execute"],
  };
}

export async function execute(parts: Parts, request: ExecuteRequest): Promise<ExecuteReply> {
  const { list, areUrls } = parts.choose(request);
  const failures: Failure[] = [];
  const results = await Promise.all(
    list.map(async (text, index) => {
      try {
        return parts.embed(areUrls ? await parts.fetch(text) : parts.decode(text));
      } catch (error) {
        if (!(error instanceof ItemError)) throw error;
        failures.push({ index, reason: error.reason, message: error.message });
        return undefined;
      }
    }),
  );
  failures.sort((a, b) => a.index - b.index);
  const vectors = results.flatMap((vector) => (vector ? [vector] : []));
  return failures.length > 0 ? parts.refuse(failures, results) : parts.reply(vectors);
}
