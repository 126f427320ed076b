import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { EmbeddingService } from "../src/gen/portico/v1/embedding_pb.ts";
import { findModelManifest } from "../src/node/model/model-catalog.ts";
import { prepareModel } from "../src/node/model/model-store.ts";
import { packageFile } from "../src/node/package-file.ts";
import { writeModelFolder } from "../tools/load/model-folder.ts";
import { readMemory } from "../tools/load/process-memory.ts";
import { orUsage, wholeNumbers } from "../tools/or-usage.ts";
import { type PorticoProcess, startPortico } from "../tools/start-portico.ts";
import { runClosedLoop } from "./closed-loop.ts";
import { readPhotographs } from "./photographs.ts";
import { median } from "./statistics.ts";

/**
 * What two models in one server cost each other: photographs per second of a server with one model, and of servers with two,
 * each with all workers or with half of them. The second is ResNet50 under another name, so that every picture costs the
 * same. Rounds alternate, and the ratio to the lone model in the same round counts.
 */

const second = "second";
/** Which server, and how many callers each of its models has. */
const ways = [
  { name: "one model, 4 callers", server: "one", callers: [4, 0] },
  { name: "two models, 4 callers of one", server: "two", callers: [4, 0] },
  { name: "two models, 2 callers of each", server: "two", callers: [2, 2] },
  { name: "two models with half of the workers each, 4 callers of one", server: "halves", callers: [4, 0] },
  { name: "two models with half of the workers each, 2 callers of each", server: "halves", callers: [2, 2] },
  { name: "one model, 2 callers", server: "one", callers: [2, 0] },
  { name: "two models, 1 caller of each", server: "two", callers: [1, 1] },
  { name: "two models, 1 caller of each, --gangs off", server: "alone", callers: [1, 1] },
] as const;

const { rounds, seconds, workers } = orUsage(
  "node bench/several-models.ts [--rounds 5] [--seconds 4] [--workers 2]",
  () =>
    wholeNumbers(
      parseArgs({
        options: {
          rounds: { type: "string", default: "5" },
          seconds: { type: "string", default: "4" },
          workers: { type: "string", default: "2" },
        },
      }).values,
    ),
);

async function main(): Promise<void> {
  const modelsDir = await mkdtemp(join(tmpdir(), "portico-models-"));
  const manifest = await findModelManifest("resnet50");
  const folder = await writeModelFolder(
    modelsDir,
    { ...manifest, name: second },
    await prepareModel(manifest),
  );
  await cp(packageFile("fixtures/golden/embedding/photo"), join(folder, "vectors", "photo"), {
    recursive: true,
  });
  const start = (count: number, ...more: string[]) =>
    startPortico({
      args: [
        "--page",
        "off",
        "--models-dir",
        modelsDir,
        "--workers",
        String(count),
        "--model",
        "resnet50",
        ...more,
      ],
    });
  const both = ["--model", second];
  const servers: Readonly<Record<(typeof ways)[number]["server"], PorticoProcess>> = {
    one: await start(workers),
    two: await start(workers, ...both),
    halves: await start(Math.max(1, Math.floor(workers / 2)), ...both),
    alone: await start(workers, ...both, "--gangs", "off"),
  };
  try {
    const photos = await readPhotographs();
    const rates = new Map<string, number[]>(ways.map(({ name }) => [name, []]));
    for (let round = 0; round < rounds; round++) {
      for (const { name, server, callers } of ways) {
        rates.get(name)?.push(await measure(servers[server], callers, photos));
      }
    }
    for (const { name, callers } of ways) {
      const base = rates.get(callers[0] + callers[1] === 4 ? ways[0].name : ways[5].name) as number[];
      const own = rates.get(name) as number[];
      const ratio = median(own.map((rate, round) => rate / (base[round] as number)));
      console.log(`| ${name} | ${median(own).toFixed(1)} | ${ratio.toFixed(2)} |`);
    }
    for (const [name, { child }] of Object.entries(servers)) {
      const bytes = await readMemory(child.pid as number, "VmRSS");
      console.log(`${name}: ${Math.round(bytes / 1e6)} MB resident`);
    }
  } finally {
    await Promise.all(Object.values(servers).map((server) => server.stop()));
    await rm(modelsDir, { recursive: true });
  }
}

/** @returns photographs per second, of both models together */
async function measure(
  { address }: PorticoProcess,
  [ofFirst, ofSecond]: readonly [number, number],
  photos: readonly Uint8Array[],
): Promise<number> {
  const client = createClient(EmbeddingService, createGrpcTransport({ baseUrl: `http://${address}` }));
  const { perSecond } = await runClosedLoop(
    async (index, caller) => {
      const model = caller < ofFirst ? "resnet50" : second;
      const value = photos[index % photos.length] as Uint8Array;
      const { results } = await client.embed({ model, images: [{ source: { case: "data", value } }] });
      if (results[0]?.outcome.case !== "embedding") throw new Error("expected a vector");
    },
    ofFirst + ofSecond,
    { seconds },
  );
  return perSecond;
}

await main();
