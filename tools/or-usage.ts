/** The flags of a tool by name; each text becomes a number. */
type Numbers<Texts> = {
  readonly [Name in keyof Texts]: Texts[Name] extends string ? number : number | undefined;
};

/**
 * What `read` makes of a tool's arguments. Where they are wrong, the process ends with exit code 2, one line that
 * says what is wrong and one of usage; `--help` prints the usage alone.
 */
export function orUsage<Flags>(usage: string, read: () => Flags): Flags {
  if (process.argv.slice(2).some((arg) => arg === "--help" || arg === "-h")) {
    console.log(`Usage: ${usage}`);
    process.exit(0);
  }
  try {
    return read();
  } catch (error) {
    if (!isWrongUsage(error)) throw error;
    console.error(`${error.message}\nUsage: ${usage}`);
    process.exit(2);
  }
}

/**
 * The texts of flags as integers of at least 0.
 * @throws RangeError naming the flag that is none
 */
export function wholeNumbers<Texts extends Readonly<Record<string, string | undefined>>>(
  texts: Texts,
): Numbers<Texts> {
  const numbers = Object.entries(texts).map(([name, text]) => {
    if (text !== undefined && !(/^\d+$/.test(text) && Number.isSafeInteger(Number(text)))) {
      throw new RangeError(`--${name}: expected an integer of at least 0, got "${text}"`);
    }
    return [name, text === undefined ? undefined : Number(text)] as const;
  });
  return Object.fromEntries(numbers) as Numbers<Texts>;
}

/** `wholeNumbers` threw it, or `parseArgs` of node:util. */
function isWrongUsage(error: unknown): error is Error {
  if (error instanceof RangeError) return true;
  return error instanceof TypeError && "code" in error && /^ERR_PARSE_ARGS/.test(String(error.code));
}
