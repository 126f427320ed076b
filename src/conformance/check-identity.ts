import type { IdentityReply } from "../gen/omnisearch/operator_pb.ts";
import type { IdentityExpectation } from "../gen/portico/conformance/v1/suite_pb.ts";

/** Judges an Identity reply: the fields that the case gives, and `endpoint` as host:port. */
export function checkIdentity(reply: IdentityReply, expected: IdentityExpectation): readonly string[] {
  const compared = [
    ["name", expected.name, reply.name],
    ["type", expected.type, reply.type],
    ["input", expected.input, reply.input],
    ["output", expected.output, reply.output],
    ["dimension", expected.dimension, reply.dimension],
    ["metricType", expected.metricType, reply.metricType],
  ] as const;
  const problems = compared
    .filter(([, want, got]) => want !== "" && want !== got)
    .map(([field, want, got]) => `expected ${field} "${want}", got "${got}"`);
  // Phantoscope calls int() on it.
  if (!/^-?\d+$/.test(reply.dimension))
    problems.push(`expected an integer as dimension, got "${reply.dimension}"`);
  if (!/^.+:\d+$/.test(reply.endpoint))
    problems.push(`expected host:port as endpoint, got "${reply.endpoint}"`);
  return problems;
}
