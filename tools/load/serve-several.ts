import { Command } from "commander";
import { reportError } from "../../src/cli/report-error.ts";
import { serve } from "../../src/cli/serve.ts";
import { addServeOptions, type ServeOptions } from "../../src/cli/serve-options.ts";
import { EmbedError } from "../../src/errors.ts";
import { createWorkerPool } from "../../src/node/pool/worker-pool.ts";
import { openTestModel, type TestModelName, testModelNames } from "./test-models.ts";

/**
 * `node tools/load/serve-several.ts serve --model tiny --model mean ...` is `portico serve` over the test models: all of it
 * is the real thing but the catalog. Each model says on stdout when its file is brought, and when its pool is opened.
 */
const say = (what: string, model: string) =>
  process.stdout.write(`${JSON.stringify({ msg: what, model })}\n`);

const program = new Command();
addServeOptions(program.command("serve")).action((options: ServeOptions) =>
  serve(options, async ({ name }) => {
    if (!(testModelNames as readonly string[]).includes(name)) {
      throw new EmbedError(
        "MODEL_UNKNOWN",
        `there is no model "${name}"; known models: ${testModelNames.join(", ")}`,
      );
    }
    const { manifest, setup } = await openTestModel(name as TestModelName);
    return {
      description: manifest,
      async prepare() {
        say("prepared", name);
        return manifest;
      },
      open(_manifest, workers, hooks) {
        say("opened", name);
        return createWorkerPool({ workers, ...hooks, loadSetup: async () => setup });
      },
    };
  }),
);

try {
  await program.parseAsync();
} catch (error) {
  process.exit(reportError(error));
}
