import { EmbedError } from "../../errors.ts";
import type { HttpLimits } from "./http-limits.ts";

export type MessageShapeLimits = Pick<HttpLimits, "messageMaxElements" | "messageMaxDepth">;

/** What a message is made of, counted while its bytes are walked. */
export interface MessageShape {
  addElement(): void;
  enter(): void;
  leave(): void;
}

/**
 * Counts the elements and the depth of one message. `elements` is what they are, for the error.
 * Its functions throw an EmbedError `REQUEST_TOO_LARGE` as soon as a limit is passed.
 */
export function createMessageShape(limits: MessageShapeLimits, elements: string): MessageShape {
  const { messageMaxElements, messageMaxDepth } = limits;
  let count = 0;
  let depth = 0;
  return {
    addElement() {
      count++;
      if (count <= messageMaxElements) return;
      const expected = `expected at most ${messageMaxElements} ${elements} in one message`;
      throw new EmbedError("REQUEST_TOO_LARGE", `${expected}, got at least ${count}`);
    },
    enter() {
      depth++;
      if (depth <= messageMaxDepth) return;
      const expected = `expected a message of at most ${messageMaxDepth} levels`;
      throw new EmbedError("REQUEST_TOO_LARGE", `${expected}, got at least ${depth}`);
    },
    leave() {
      depth--;
    },
  };
}
