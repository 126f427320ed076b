import { openLiteRt } from "./open-litert.ts";
import { openSimd } from "./open-simd.ts";
import { openTfjs } from "./open-tfjs.ts";
import { fetchBytes, type PageEngine } from "./page-engine.ts";

/** Takes commands from the page's server one after the other and tells it what came of each. */

const open: Readonly<Record<string, (threads: number) => Promise<PageEngine>>> = {
  simd: openSimd,
  litert: openLiteRt,
  tfjs: openTfjs,
};

interface Command {
  readonly engine: string;
  readonly threads: number;
  /** Runs to be timed; 0 loads the engine. */
  readonly count: number;
}

const engines = new Map<string, PageEngine>();
const tensor = new Float32Array((await fetchBytes("/files/tensor.f32")).buffer);
for (;;) {
  const command = (await (await fetch("/next")).json()) as Command;
  const reply = await carryOut(command).catch((error: unknown) => ({ error: String(error) }));
  await fetch("/reply", { method: "POST", body: JSON.stringify(reply) });
}

async function carryOut({ engine: name, threads, count }: Command): Promise<unknown> {
  const start = performance.now();
  if (count === 0) {
    const engine = await open[name]!(threads);
    engines.set(name, engine);
    const loadMs = performance.now() - start;
    return { version: engine.version, loadMs, features: [...(await engine.run(tensor))] };
  }
  const times: number[] = [];
  for (let run = 0; run < count; run++) {
    const began = performance.now();
    await engines.get(name)!.run(tensor);
    times.push(performance.now() - began);
  }
  return times;
}
