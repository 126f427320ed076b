/** What a command line of `portico serve` says of its port. */
export interface ListenFlags {
  /** Of `--listen`, if it is there. */
  readonly listen: string | undefined;
  readonly tls: boolean;
}

/** Looks for two flags without loading all that the server's own parser needs. Of a flag that comes twice, the last counts. */
export function readListenFlags(args: readonly string[]): ListenFlags {
  return { listen: lastValue(args, "--listen"), tls: lastValue(args, "--tls-cert") !== undefined };
}

function lastValue(args: readonly string[], flag: string): string | undefined {
  const values = args.flatMap((arg, index) => {
    if (arg === flag) return args.slice(index + 1, index + 2);
    return arg.startsWith(`${flag}=`) ? [arg.slice(flag.length + 1)] : [];
  });
  return values.at(-1);
}
