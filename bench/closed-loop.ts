/** When callers stop to begin calls: after so many altogether, or so long. */
export type LoopLength = { readonly calls: number } | { readonly seconds: number };

export interface LoopResult {
  readonly perSecond: number;
  readonly timesMs: readonly number[];
}

/**
 * A closed loop: each of `callers` begins its next call when the last one is answered.
 * @param call gets the number of the call and that of its caller, both from 0
 */
export async function runClosedLoop(
  call: (index: number, caller: number) => Promise<void>,
  callers: number,
  length: LoopLength,
): Promise<LoopResult> {
  const timesMs: number[] = [];
  const start = performance.now();
  let begun = 0;
  const goesOn = () =>
    "calls" in length ? begun < length.calls : performance.now() - start < length.seconds * 1000;
  async function loop(caller: number): Promise<void> {
    while (goesOn()) {
      const began = performance.now();
      await call(begun++, caller);
      timesMs.push(performance.now() - began);
    }
  }
  await Promise.all(Array.from({ length: callers }, (_, caller) => loop(caller)));
  return { perSecond: timesMs.length / ((performance.now() - start) / 1000), timesMs };
}
