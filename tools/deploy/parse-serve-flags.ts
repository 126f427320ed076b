import { Command } from "commander";
import { addServeOptions, type ServeOptions } from "../../src/cli/serve-options.ts";

/**
 * Flags of a container, as `portico serve` reads them.
 * @throws CommanderError for one that it does not know, or a value that it does not take
 */
export function parseServeFlags(flags: readonly string[]): ServeOptions {
  const command = addServeOptions(new Command("serve").exitOverride());
  return command.parse(flags, { from: "user" }).opts();
}
