import { settleBefore } from "../../../embed/settle-before.ts";
import type { OpenWayFunction } from "./open-way.ts";

/** Opens ways one after the other: the second one finds the model that the first has downloaded and kept. */
export function createInTurn(): (open: OpenWayFunction) => OpenWayFunction {
  let last: Promise<unknown> = Promise.resolve();
  return (open) => async (context) => {
    const before = last;
    const opening = (async () => {
      await settleBefore(before, context.signal);
      return open(context);
    })();
    // The next one waits for this one to end, well or badly.
    last = Promise.allSettled([before, opening]);
    context.onStatus({ kind: "queued" });
    return opening;
  };
}
