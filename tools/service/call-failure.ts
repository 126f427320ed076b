import { ConnectError } from "@connectrpc/connect";
import { BatchFailureSchema } from "../../src/gen/portico/v1/errors_pb.ts";

/** What a failed call tells its caller; throws if the call succeeds. */
export async function failureOf(call: Promise<unknown>) {
  const error = await call.then(
    () => undefined,
    (reason: unknown) => ConnectError.from(reason),
  );
  if (!error) throw new Error("expected the call to fail");
  return { code: error.code, message: error.rawMessage, details: error.findDetails(BatchFailureSchema) };
}
