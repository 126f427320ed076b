import { defaultEndpointPort, resolveListenAddress } from "../node/http/listen-address.ts";
import { isLoopback, isUnspecified } from "../node/phantoscope/endpoint-address.ts";
import type { ServeOptions } from "./serve-options.ts";

/** What decides beside the options; a parameter, so that tests can stand anywhere. */
interface ServeSurroundings {
  readonly opEndpoint?: string | undefined;
  /** As the program of a container is: its loopback is not that of those who call. */
  readonly isFirstProcess?: boolean;
}

/** What the log warns of at the start: settings that are allowed, and may not do what their user expects. */
export function serveWarnings(
  options: Pick<
    ServeOptions,
    "allowPrivate" | "engine" | "listen" | "maxConnections" | "maxConnectionsPerClient" | "threads"
  >,
  { opEndpoint, isFirstProcess = false }: ServeSurroundings = {},
): readonly string[] {
  const { allowPrivate = false, maxConnections, maxConnectionsPerClient: perClient } = options;
  const warnings: string[] = [];
  const [, host = "", port = defaultEndpointPort] = /^(.*?)(?::(\d+))?$/.exec(opEndpoint ?? "") ?? [];
  if (isUnspecified(host)) {
    warnings.push(
      `OP_ENDPOINT ${opEndpoint}: Identity tells callers to come to ${host}, which is an address for listening only; it should be the one that they use`,
    );
  }
  if (isLoopback(host) && options.listen !== undefined && isMissed(options.listen, Number(port))) {
    warnings.push(
      `OP_ENDPOINT ${opEndpoint}: Identity tells callers to come there, but --listen ${options.listen} is another port, and for callers of other machines too; set OP_ENDPOINT to the address that they use`,
    );
  }
  if (isFirstProcess && opEndpoint === undefined && options.listen === undefined) {
    warnings.push(
      "OP_ENDPOINT is empty and there is no --listen: only programs in this container can call; set OP_ENDPOINT to the address that callers use",
    );
  }
  if (allowPrivate) {
    warnings.push(
      "--allow-private: callers can fetch from any private address; --allow-hosts would name the hosts",
    );
  }
  if (perClient !== undefined && perClient >= maxConnections) {
    warnings.push(
      `--max-connections-per-client ${perClient} limits nobody: one client may take all of --max-connections ${maxConnections}`,
    );
  }
  if (options.engine === "auto" && options.threads > 1) {
    warnings.push(
      `--threads ${options.threads} leaves out the engine simd, which has 1; --workers uses more processors`,
    );
  }
  return warnings;
}

/** Whether callers may be anywhere, and are told of a port that nothing here listens on. */
function isMissed(listen: string, toldPort: number): boolean {
  const { host, port } = resolveListenAddress(listen, undefined);
  return (host === undefined || isUnspecified(host)) && port !== toldPort;
}
