/** The parts of npm's own configuration reader that are used here; it ships no types. */
declare module "@npmcli/config" {
  export default class Config {
    constructor(options: {
      definitions: unknown;
      shorthands: unknown;
      flatten: unknown;
      nerfDarts: unknown;
      /** Folder of the npm package; its `npmrc` is the builtin configuration. */
      npmPath: string;
      env: Record<string, string | undefined>;
      argv: readonly string[];
      execPath: string;
      warn: boolean;
    });
    load(): Promise<void>;
    /** Whether neither a file, the environment nor the command line sets the key. */
    isDefault(key: string): boolean;
    /** The settings as options for pacote and npm-registry-fetch. */
    readonly flat: Record<string, unknown>;
  }
}

declare module "@npmcli/config/lib/definitions/index.js" {
  const exported: { definitions: unknown; shorthands: unknown; flatten: unknown; nerfDarts: unknown };
  export default exported;
}
