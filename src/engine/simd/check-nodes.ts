import { EmbedError } from "../../errors.ts";
import type { Axes } from "./axes.ts";
import type { OperatorHandler } from "./planner.ts";
import type { OnnxGraph, OnnxNode } from "./read-onnx-graph.ts";
import { unsupported } from "./unsupported.ts";

/** How nodes of one kind are planned, and all that one may ask for; a node that asks for more is refused. */
export interface Operator {
  readonly plan: OperatorHandler;
  /** Axes of the tensors that it takes; they are the same for all of them. */
  readonly takes: readonly Axes[];
  /** Inputs at most, constants included. */
  readonly mostInputs: number;
  /** Attributes that `plan` reads. */
  readonly attributes?: readonly string[];
  /** Attributes of which one value alone is known, and what ONNX takes them to be where they are missing. */
  readonly fixed?: Readonly<Record<string, number | string>>;
  /** Attributes that change nothing at inference. */
  readonly ignored?: readonly string[];
}

export type Operators = ReadonlyMap<string, Operator>;

/** The error that names a node. */
export const refusal = ({ name, op }: OnnxNode, why: string): EmbedError =>
  unsupported(`node "${name}" (${op}): ${why}`);

/**
 * Looks through a graph before it is planned, so that nothing in it is passed over.
 * @throws EmbedError `ENGINE_UNSUPPORTED` naming the node, `MODEL_CORRUPT` if two nodes give one tensor
 */
export function checkNodes(graph: OnnxGraph, operators: Operators): void {
  const given = new Set([graph.input.name, ...graph.constants.keys()]);
  for (const node of graph.nodes) {
    if (given.has(node.output)) {
      throw new EmbedError(
        "MODEL_CORRUPT",
        `node "${node.name}": expected a name of its own for its output, got "${node.output}", which is taken`,
      );
    }
    given.add(node.output);
    const operator = operators.get(node.op);
    if (!operator)
      throw refusal(node, `this operator is not known; known: ${[...operators.keys()].join(", ")}`);
    if (node.inputs.length > operator.mostInputs)
      throw refusal(node, `expected at most ${operator.mostInputs} inputs, got ${node.inputs.length}`);
    for (const [name, value] of node.attributes) checkAttribute(node, operator, name, value);
  }
}

function checkAttribute(
  node: OnnxNode,
  { attributes = [], fixed = {}, ignored = [] }: Operator,
  name: string,
  value: unknown,
): void {
  if (attributes.includes(name) || ignored.includes(name)) return;
  if (!Object.hasOwn(fixed, name)) throw refusal(node, `the attribute ${name} is not known`);
  if (value !== fixed[name]) throw refusal(node, `${name} ${value} is not known; known: ${fixed[name]}`);
}
