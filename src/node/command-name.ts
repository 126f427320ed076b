/**
 * What to type before a subcommand to reach this program again, for hints and help. Whoever works in the
 * repository has no `portico` on the PATH, but came through an npm script; npm says so in `npm_lifecycle_event`
 * (npx puts its own name there).
 */
export function commandName(env: Readonly<Record<string, string | undefined>> = process.env): string {
  const script = env.npm_lifecycle_event;
  if (script === undefined) return "portico";
  return script === "npx" ? "npx portico" : "npm run portico --";
}
