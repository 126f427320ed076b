import { EmbedError } from "../errors.ts";
import type { Processor } from "./processor.ts";

const namePattern = /^[\w.-]{1,64}$/;

/**
 * What a module exports by default, as a processor.
 * @param module its name, for messages
 * @throws EmbedError `CONFIG_INVALID` if it is none
 */
export function checkProcessor(value: unknown, module: string): Processor {
  const { name, process } = (value ?? {}) as Partial<Processor>;
  if (typeof process !== "function") {
    throw new EmbedError(
      "CONFIG_INVALID",
      `expected ${module} to export a processor by default, { name, process(picture) }, got ${describe(value)}`,
    );
  }
  if (typeof name !== "string" || !namePattern.test(name)) {
    throw new EmbedError(
      "CONFIG_INVALID",
      `expected the processor of ${module} to have a name of 1 to 64 letters, digits, ".", "_" or "-", got ${JSON.stringify(name)}`,
    );
  }
  return value as Processor;
}

function describe(value: unknown): string {
  if (value === undefined) return "no default export";
  if (typeof value !== "object" || value === null) return value === null ? "null" : `a ${typeof value}`;
  return `an object with ${Object.keys(value).join(", ").slice(0, 100) || "nothing"}`;
}
