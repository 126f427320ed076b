/** What looks at something from time to time, and what is told of it. */
export interface RegularLook {
  /** One look; what it throws is told. */
  readonly look: () => Promise<void>;
  /** Called with what a look threw, once for as long as the same is wrong. */
  readonly tell: (why: string) => void;
  readonly intervalMs: number;
}

/**
 * How often files that may change while the server runs are read; they are small. They are not watched for
 * events: Kubernetes swaps a symbolic link two folders above them (it takes about a minute to hand a change out),
 * editors write a new file and rename it, and some mounts tell nothing at all.
 */
export const lookIntervalMs = 5_000;

/**
 * Looks again and again, the first time after `intervalMs`, and never twice at once: a look at a slow mount may
 * last longer than that. Keeps no process alive.
 */
export function lookRegularly({ look, tell, intervalMs }: RegularLook): { stop(): void } {
  let told = "";
  let isStopped = false;
  let timer = setTimeout(lookOnce, intervalMs).unref();

  async function lookOnce(): Promise<void> {
    try {
      await look();
      told = "";
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      if (why !== told) tell(why);
      told = why;
    }
    if (!isStopped) timer = setTimeout(lookOnce, intervalMs).unref();
  }

  return {
    stop() {
      isStopped = true;
      clearTimeout(timer);
    },
  };
}
