import { createRequire } from "node:module";
import type { EngineName } from "../../engine/engine.ts";
import { EmbedError } from "../../errors.ts";

/** An optional peer: only who wants its engine installs it. */
export interface EnginePackage {
  readonly engine: EngineName;
  readonly name: string;
  /** The one that was tested. */
  readonly version: string;
}

/** Not `import`: a package is found by NODE_PATH, too, and is loaded at once or not at all; a thread may be ended at any moment. */
const require = createRequire(import.meta.url);

/** Its `package.json` where it is installed; loads nothing. */
export function findEnginePackage({ name }: EnginePackage): string | undefined {
  try {
    return require.resolve(`${name}/package.json`);
  } catch {
    // Not there, whatever the reason.
    return undefined;
  }
}

/** What is to be done before its engine can be tried; undefined if it is installed. Scripts of its own are not needed. */
export function enginePackageLacks(wanted: EnginePackage): string | undefined {
  if (findEnginePackage(wanted) !== undefined) return undefined;
  const { engine, name, version } = wanted;
  const mend = `npm install --ignore-scripts ${name}@${version}`;
  return `--engine ${engine} needs a package that is not installed; install it with: ${mend}`;
}

/** @throws EmbedError `CONFIG_INVALID` if it cannot be loaded: this machine has another processor or C library */
export function requireEnginePackage<Exports>({ engine, name }: EnginePackage): Exports {
  try {
    return require(name) as Exports;
  } catch (cause) {
    const why = (cause as Error).message.split("\n")[0]!;
    const known = isOfMusl(why)
      ? `${name} needs glibc, and this Node has musl (Alpine); --engine simd and ort-wasm run everywhere: `
      : "";
    throw new EmbedError("CONFIG_INVALID", `--engine ${engine} cannot load its package: ${known}${why}`, {
      cause,
    });
  }
}

/** How musl's loader says that a library is missing, or lacks a symbol (ldso/dynlink.c); glibc's says it in other words. */
const isOfMusl = (why: string): boolean => /^Error (?:loading shared library|relocating) /.test(why);
