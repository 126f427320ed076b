/** `import ... from "portico/client"`: calls of a server, from a page or a program. */
export { EmbedError, type ErrorDetail, type ItemFailure, type Reason } from "../errors.ts";
export type { Model } from "../gen/portico/v1/embedding_pb.ts";
export {
  type CallOptions,
  type ClientImage,
  type ClientReply,
  type ClientResult,
  type CreateClientOptions,
  createClient,
  type EmbedCallOptions,
  type PorticoClient,
} from "./create-client.ts";
