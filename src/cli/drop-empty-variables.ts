/**
 * Takes variables of Portico that are empty out of the environment: a compose file with an unset `${VARIABLE}`, and
 * `docker run -e NAME=`, set such ones, and mean none.
 */
export function dropEmptyVariables(env: NodeJS.ProcessEnv): void {
  for (const [name, value] of Object.entries(env)) {
    if (value === "" && (name.startsWith("PORTICO_") || name === "OP_ENDPOINT")) delete env[name];
  }
}
