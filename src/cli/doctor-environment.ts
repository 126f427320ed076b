import type { Finding } from "./doctor-report.ts";

/** Variables that change what Portico, Node, npm or OpenTelemetry do; prefixes end in `*`. */
const told = [
  "PORTICO_*",
  "OP_ENDPOINT",
  "OTEL_*",
  "NODE_*",
  "UV_THREADPOOL_SIZE",
  "XDG_CACHE_HOME",
  "LOCALAPPDATA",
  "npm_config_*",
  "HTTP_PROXY",
  "HTTPS_PROXY",
  "NO_PROXY",
  "SSL_CERT_FILE",
  "SSL_CERT_DIR",
];

/** npm hands its whole configuration down to scripts; only these of it matter here. */
const toldOfNpm = /^npm_config_(registry|cache|proxy|https_proxy|noproxy|cafile|strict_ssl|offline)$/i;

const secretName = /token|secret|password|passwd|credential|auth|headers|(^|_)key($|_)/i;

/** The variables that matter to a bug report, sorted, without what they hide. */
export function describeEnvironment(env: Readonly<Record<string, string | undefined>>): Finding[] {
  return Object.entries(env)
    .filter(([name, value]) => value !== undefined && isTold(name))
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([name, value]) => ({ name: `env ${name}`, state: "info", value: mask(name, value as string) }));
}

function isTold(name: string): boolean {
  const wanted = name.toLowerCase();
  if (wanted.startsWith("npm_config_")) return toldOfNpm.test(name);
  return told.some((pattern) =>
    pattern.endsWith("*")
      ? wanted.startsWith(pattern.slice(0, -1).toLowerCase())
      : wanted === pattern.toLowerCase(),
  );
}

/** A secret as asterisks; of any URL within another value no user, password or query. */
function mask(name: string, value: string): string {
  if (secretName.test(name)) return "***";
  return value
    .replace(/([a-z][a-z0-9+.-]*:\/\/)[^/\s?#]*@/gi, "$1***@")
    .replace(/([a-z][a-z0-9+.-]*:\/\/[^\s?#]*)\?[^\s#]*/gi, "$1?***");
}
