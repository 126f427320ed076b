/** `HOST:PORT` as a URL has it: an IPv6 address stands in brackets. */
export function hostPort(host: string, port: number): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}
