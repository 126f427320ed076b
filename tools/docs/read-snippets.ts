import { readFileSync } from "node:fs";
import { packageFile } from "../../src/node/package-file.ts";

/** A command or program of a page, under a comment `test: KIND` or `test: KIND needs TOOL`. */
export interface Snippet {
  readonly kind: string;
  readonly needs: string;
  readonly code: string;
  /** The block without a language that follows it, as what is printed; empty if there is none. */
  readonly output: string;
}

const pattern = /<!-- test: (\w+)(?: needs (\w+))? -->\n```\w+\n([\s\S]*?)```(?:\n\n```\n([\s\S]*?)```)?/g;

/** @param page path from the root of the repository */
export function readSnippets(page: string): readonly Snippet[] {
  const text = readFileSync(packageFile(page), "utf8");
  return [...text.matchAll(pattern)].map(([, kind = "", needs = "", code = "", output = ""]) => ({
    kind,
    needs,
    code,
    output,
  }));
}

/**
 * A pattern for what a page says is printed: `...` stands for anything in its line, or for lines if it is one alone, and the
 * numbers of an error may be others.
 */
export function outputPattern(output: string): RegExp {
  const escaped = output.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&");
  const open = escaped
    .replaceAll(/^\\\.\\\.\\\.$/gm, "[\\s\\S]+")
    .replaceAll("\\.\\.\\.", ".+")
    .replaceAll(/\d\\\.\d+e-\d+|\d\\\.\d{9}/g, "[\\d.e-]+");
  return new RegExp(`^${open}$`);
}
