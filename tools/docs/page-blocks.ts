import { readFileSync } from "node:fs";

/** A block of a page that a test runs: what stands in the comment before it, and its code. */
export interface PageBlock {
  /** `serve`, `sh` or `file`. */
  readonly kind: string;
  /** What follows the kind: the name of a file. */
  readonly name: string;
  readonly code: string;
}

/** The blocks under a comment `test: KIND [NAME]`, in their order. @param page its path from the root of the repository */
export function readPageBlocks(page: string): readonly PageBlock[] {
  const text = readFileSync(new URL(`../../${page}`, import.meta.url), "utf8");
  const pattern = /<!-- test: (\w+)(?: (\S+))? -->\n```\w+\n([\s\S]*?)```/g;
  return [...text.matchAll(pattern)].map(([, kind = "", name = "", code = ""]) => ({ kind, name, code }));
}
