import { type Command, InvalidArgumentError, Option } from "commander";
import { type VariantName, variantNames } from "../embed/model-manifest.ts";
import { EmbedError } from "../errors.ts";
import { commandName } from "../node/command-name.ts";
import { findModel } from "../node/model/model-catalog.ts";
import { type PageModel, pageModel, pageModelNames } from "../node/page/page-model.ts";
import { openPageSource } from "../node/page/page-source.ts";
import { writePage } from "../node/page/write-page.ts";
import { addCacheOption, addModelsDirOption, describeCache, filePath } from "./common-options.ts";
import { prepareWithProgress } from "./prepare.ts";

interface PageFlags {
  readonly out: string;
  readonly server?: string;
  readonly model: string;
  readonly variant: readonly VariantName[];
  readonly cache?: string;
  readonly modelsDir?: string;
}

export function addPageCommand(program: Command): void {
  addModelsDirOption(
    addCacheOption(
      program
        .command("page")
        .description("write the page in a browser as static files, for any host")
        .requiredOption("--out <dir>", "folder to write, empty or with an older page", filePath)
        .option(
          "--server <url>",
          "server that the page calls; without one it computes in the browser only",
          origin,
        )
        .option(
          "--model <name>",
          "model to copy beside it for the engines in the browser, or none",
          "resnet50",
        )
        .addOption(
          new Option(
            "--variant <names>",
            `forms of the model, comma-separated: ${variantNames.join(", ")}; the page begins with the first`,
          )
            .argParser(variantList)
            .default(["fp32"], "fp32"),
        ),
    ),
  )
    .addHelpText(
      "after",
      `
The server must allow the page's origin with --cors-origins. docs/page-hosting.md says which headers the host should send.
${describeCache()}

Example:
  ${commandName()} page --out public --server https://vectors.example --variant fp16,int8`,
    )
    .action(pageCommand);
}

/** SCHEME://HOST[:PORT] as a browser spells it. */
function origin(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || !/^https?:$/.test(url.protocol) || url.href !== `${url.origin}/`) {
    throw new InvalidArgumentError(`expected http(s)://HOST[:PORT] without a path, got "${text}"`);
  }
  return url.origin;
}

/** Each once, in the order in which they are named. */
function variantList(text: string): VariantName[] {
  const names = [...new Set(text.split(","))];
  const unknown = names.find((name) => !(variantNames as readonly string[]).includes(name));
  if (unknown === undefined) return names as VariantName[];
  throw new InvalidArgumentError(`expected some of ${variantNames.join(", ")}, got "${unknown}"`);
}

/** @throws EmbedError `CONFIG_INVALID` for a page on which nothing could compute */
function requireServerOrModel({ server, model }: PageFlags): void {
  if (server !== undefined || model !== "none") return;
  throw new EmbedError("CONFIG_INVALID", "--model none: expected --server too, since else nothing computes");
}

async function pageCommand(flags: PageFlags): Promise<void> {
  requireServerOrModel(flags);
  const { out, server, model, variant, cache, modelsDir } = flags;
  const names = model === "none" ? [] : variant;
  const forms = await Promise.all(names.map((name) => findModel(model, name, modelsDir)));
  if (forms.length > 0 && !pageModelNames.includes(model)) {
    throw new EmbedError(
      "CONFIG_INVALID",
      `--model ${model}: the engines of the page compute ${pageModelNames.join(", ")} alone; expected --model none and a --server of this model`,
    );
  }
  const source = await openPageSource();
  const models: PageModel[] = [];
  for (const form of forms) {
    const { manifest } = await prepareWithProgress(form, cache === undefined ? {} : { cacheDir: cache });
    models.push(pageModel(manifest, cache));
  }
  const written = await writePage(source, { folder: out, server, models });
  const bytes = written.reduce((sum, file) => sum + file.bytes, 0);
  process.stdout.write(`${out}: ${written.length} files, ${(bytes / 1e6).toFixed(1)} MB\n`);
}
