import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { type ClientHttp2Session, connect } from "node:http2";
import { create, toBinary } from "@bufbuild/protobuf";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Call, calls, send } from "../../../tools/send-message.ts";
import { startTestServer } from "../../../tools/start-test-server.ts";
import { ExecuteRequestSchema, Operator } from "../../gen/omnisearch/operator_pb.ts";

const execute = "omnisearch.Operator/Execute";
const identity = "omnisearch.Operator/Identity";

describe("a small request that unpacks to 32 MiB of tiny parts", () => {
  let child: ChildProcess;
  let victim: ClientHttp2Session;
  beforeAll(async () => {
    child = spawn(process.execPath, ["--expose-gc", "--input-type=module", "-e", childSource], {
      cwd: import.meta.dirname,
      stdio: ["ignore", "pipe", "inherit"],
    });
    const [port] = await once(child.stdout ?? child, "data");
    victim = connect(`http://127.0.0.1:${String(port).trim()}`);
  });
  afterAll(() => {
    victim.destroy();
    child.kill();
  });

  const megabyte = 2 ** 20;
  /** The largest resident size that the process ever had, as its Identity tells. */
  async function peakBytes(): Promise<number> {
    const call = { protocol: "connect", codec: "json", encoding: "identity" } as const;
    const { code, message } = await send(victim, identity, call, Buffer.from("{}"));
    expect(code).toBe("ok");
    return Number(JSON.parse(message).name);
  }

  const fill = (text: string, head = "") =>
    Buffer.concat([Buffer.from(head), Buffer.alloc(32 * megabyte, text, "latin1")]);
  const bombs: Record<Call["codec"], [string, Buffer][]> = {
    proto: [
      ["empty datas", fill("\x12\0")],
      ["unknown fields", fill("\x78\x01")],
      ["unknown groups", fill("\x7b\x7c")],
      ["datas that claim to be numbers", fill("\x10\0")],
    ],
    json: [
      ["empty lists", fill("[],", '{"x":[')],
      ["empty objects", fill("{},", '{"x":[')],
      ["empty datas", fill('"",', '{"datas":[')],
      ["lists in lists", fill("[", '{"x":')],
    ],
  };
  const cases = calls
    .filter(({ encoding }) => encoding !== "identity")
    .map((call) => [`${call.protocol}, ${call.codec}, ${call.encoding}`, call] as const);

  test.each(cases)("%s", { timeout: 60_000 }, async (_, call) => {
    const before = await peakBytes();
    for (const [name, bomb] of bombs[call.codec]) {
      const { code, message } = await send(victim, execute, call, bomb);
      expect(message, name).toMatch(/^REQUEST_(TOO_LARGE|INVALID): expected /);
      expect(code, name).toBe(
        message.startsWith("REQUEST_INVALID") ? "invalid_argument" : "resource_exhausted",
      );
      expect((await peakBytes()) - before, name).toBeLessThan(300 * megabyte);
      const small = await send(victim, identity, call, bomb);
      expect(small, name).toEqual({
        code: "resource_exhausted",
        message: expect.stringContaining("larger than configured readMaxBytes 1024"),
      });
    }
  });
});

/**
 * A server with the limits of production. Its Identity is named after its largest resident size, in bytes,
 * which a thread of its own watches: getrusage would tell that of the process it was forked from.
 */
const childSource = `
  import { Worker } from "node:worker_threads";
  import { startTestServer } from "../../../tools/start-test-server.ts";
  import { Operator } from "../../gen/omnisearch/operator_pb.ts";
  const peak = new Float64Array(new SharedArrayBuffer(8));
  const watch = "import { workerData as peak } from 'node:worker_threads';" +
    "setInterval(() => { peak[0] = Math.max(peak[0], process.memoryUsage.rss()); }, 5);";
  new Worker(watch, { eval: true, workerData: peak });
  const { port } = await startTestServer((router) =>
    router.service(Operator, {
      execute: ({ datas }) => ({ nums: BigInt(datas.length) }),
      identity() {
        // What is only not yet thrown away should not add up from one call to the next.
        gc();
        return { name: String(peak[0]) };
      },
    }),
  );
  console.log(port);
`;

test("100 MiB of datas are a good request", { timeout: 60_000 }, async () => {
  const server = await startTestServer((router) =>
    router.service(Operator, { execute: ({ datas }) => ({ nums: BigInt(datas.length) }) }),
  );
  const client = connect(server.url);
  try {
    const request = create(ExecuteRequestSchema, { datas: Array(300).fill("A".repeat(340_000)) });
    const binary = toBinary(ExecuteRequestSchema, request);
    for (const [protocol, codec] of [
      ["grpc", "proto"],
      ["connect", "proto"],
      ["connect", "json"],
    ] as const) {
      const call: Call = { protocol, codec, encoding: "identity" };
      const message = codec === "json" ? Buffer.from(JSON.stringify({ datas: request.datas })) : binary;
      const outcome = await send(client, execute, call, message);
      expect(outcome).toMatchObject({
        code: "ok",
        message: expect.stringContaining(codec === "json" ? '"300"' : "\x08\xac\x02"),
      });
    }
  } finally {
    client.destroy();
    await server.server.close({ graceMs: 0 });
  }
});
