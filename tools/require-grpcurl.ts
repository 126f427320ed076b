import { requireGoTool } from "./require-go-tool.ts";

/** Full path of grpcurl, or undefined without Go, as `requireGoTool` says. */
export function requireGrpcurl(): string | undefined {
  return requireGoTool("grpcurl");
}
