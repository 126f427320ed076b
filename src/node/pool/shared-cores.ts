/** Threads of one pool, as the other pools of this process see them. */
export interface PoolThreads {
  /** That work on a picture, or help with one. */
  working(): number;
  /** Asks so many of those that help to come back. @returns how many it has asked */
  callOff(wanted: number): number;
}

/** What a pool knows of the others. */
export interface SharedCores {
  /** Threads of all other pools that work. */
  others(): number;
  /** One more of its own works: where they are more than that now, others' helpers are called off. */
  begun(cores: number): void;
  leave(): void;
}

/** Of this process: its processors are one, however many models it serves. */
const pools = new Set<PoolThreads>();

/**
 * Helpers are for processors that nobody else needs. A pool sees its own threads; through this it sees those of the pools of
 * other models too.
 */
export function shareCores(own: PoolThreads): SharedCores {
  pools.add(own);
  const otherPools = () => [...pools].filter((pool) => pool !== own);
  const others = () => otherPools().reduce((sum, pool) => sum + pool.working(), 0);
  return {
    others,
    begun(cores) {
      let tooMany = own.working() + others() - cores;
      for (const pool of otherPools()) {
        if (tooMany <= 0) return;
        tooMany -= pool.callOff(tooMany);
      }
    },
    leave: () => void pools.delete(own),
  };
}
