import { type Command, InvalidArgumentError } from "commander";
import { commandName } from "../node/command-name.ts";
import { findModelManifest } from "../node/model/model-catalog.ts";
import { pageModel } from "../node/page/page-model.ts";
import { openPageSource } from "../node/page/page-source.ts";
import { writePage } from "../node/page/write-page.ts";
import { addCacheOption, describeCache, filePath } from "./common-options.ts";
import { prepareWithProgress } from "./prepare.ts";

interface PageFlags {
  readonly out: string;
  readonly server?: string;
  readonly model: string;
  readonly cache?: string;
}

export function addPageCommand(program: Command): void {
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
      ),
  )
    .addHelpText(
      "after",
      `
The server must allow the page's origin with --cors-origins. docs/page-hosting.md says which headers the host should send.
${describeCache()}

Example:
  ${commandName()} page --out public --server https://vectors.example`,
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

async function pageCommand({ out, server, model, cache }: PageFlags): Promise<void> {
  const manifest = model === "none" ? undefined : await findModelManifest(model);
  const source = await openPageSource();
  if (manifest) await prepareWithProgress(manifest, cache === undefined ? {} : { cacheDir: cache });
  const models = manifest ? [pageModel(manifest, cache)] : [];
  const written = await writePage(source, { folder: out, server, models });
  const bytes = written.reduce((sum, file) => sum + file.bytes, 0);
  process.stdout.write(`${out}: ${written.length} files, ${(bytes / 1e6).toFixed(1)} MB\n`);
}
