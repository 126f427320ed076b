/** Where progress goes; a parameter, so that a test can be the terminal. */
export interface ProgressOutput {
  readonly stream: NodeJS.WritableStream;
  readonly isTTY: boolean;
  /** Milliseconds from a clock that never goes back. */
  readonly now: () => number;
}

/** Progress goes to stderr: stdout is for results. */
export function stderrProgress(): ProgressOutput {
  return {
    stream: process.stderr,
    isTTY: process.stderr.isTTY === true,
    now: () => performance.now(),
  };
}
