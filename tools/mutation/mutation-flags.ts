import { parseArgs } from "node:util";
import { orUsage, wholeNumbers } from "../or-usage.ts";

export interface MutationFlags {
  /** How many cases there are. */
  readonly count: number;
  /** A seed and a number make a case, always the same. */
  readonly seed: number;
  /** The number of the one case that is to be run. */
  readonly only?: number | undefined;
}

/** @param script of npm, for the usage that is printed where the arguments are wrong */
export function readMutationFlags(script: string): MutationFlags {
  return orUsage(`npm run ${script} -- [--count N] [--seed N] [--only INDEX]`, () => {
    const { values } = parseArgs({
      options: {
        count: { type: "string", default: "100000" },
        seed: { type: "string", default: "1" },
        only: { type: "string" },
      },
    });
    return wholeNumbers(values);
  });
}
