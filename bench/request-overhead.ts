import { once } from "node:events";
import { connect } from "node:http2";
import { startOtlpCollector } from "../tools/otlp-collector.ts";
import { startPortico } from "../tools/start-portico.ts";

/**
 * What the access log and traces cost: processor time of the server for one Identity call over gRPC, without
 * the access log, with it, and with traces too. The runs alternate, since the machine is never quiet; the
 * least of each is told. docs/observability.md has the figures.
 */

const rounds = 3;
const calls = 10_000;
const concurrency = 64;

const collector = await startOtlpCollector();
const variants = [
  { name: "neither", args: ["--access-log", "off"] },
  { name: "access log", args: ["--access-log", "on"] },
  { name: "access log and traces", args: ["--access-log", "on", "--otlp-endpoint", collector.url] },
];
const least = new Map<string, number>();
for (let round = 0; round < rounds; round++) {
  for (const { name, args } of variants) {
    const us = await measure(args);
    least.set(name, Math.min(us, least.get(name) ?? Number.POSITIVE_INFINITY));
  }
}
collector.close();
for (const [name, us] of least) console.log(`${name}: ${us.toFixed(0)} µs of processor time a call`);

async function measure(args: readonly string[]): Promise<number> {
  const server = await startPortico({ args: ["--workers", "1", ...args] });
  const session = connect(`http://${server.address}`);
  const call = async () => {
    const stream = session.request({
      ":method": "POST",
      ":path": "/omnisearch.Operator/Identity",
      "content-type": "application/grpc",
      te: "trailers",
    });
    stream.end(Buffer.alloc(5));
    stream.resume();
    await once(stream, "close");
  };
  const run = (count: number) =>
    Promise.all(
      Array.from({ length: concurrency }, async () => {
        for (let done = 0; done < count / concurrency; done++) await call();
      }),
    );
  await run(calls / 4);
  const before = await cpuSeconds(server.address);
  await run(calls);
  const after = await cpuSeconds(server.address);
  session.close();
  await server.stop();
  return ((after - before) / calls) * 1e6;
}

async function cpuSeconds(address: string): Promise<number> {
  const text = await (await fetch(`http://${address}/metrics`)).text();
  return Number(/^process_cpu_seconds_total (\S+)$/m.exec(text)?.[1]);
}
