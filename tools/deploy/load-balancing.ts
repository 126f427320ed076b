import { type CheckedCounts, createCheckingClient } from "../load/checking-client.ts";
import { type GhzReport, runGhz } from "../load/run-ghz.ts";
import type { Replica } from "./replica.ts";
import { folder, type Stack, until, waysIn } from "./stack.ts";

/** Full path of ghz, and how it calls. */
export interface GhzLoad {
  readonly ghz: string;
  readonly callers: number;
  readonly calls: number;
  readonly callsPerSecond?: number;
}

const load = (
  url: string,
  { ghz, callers, calls, callsPerSecond }: GhzLoad,
  datas: readonly string[],
): Promise<GhzReport> =>
  runGhz({
    ...{ ghz, url, folder, callers, calls, ...(callsPerSecond !== undefined && { callsPerSecond }) },
    requests: datas.map((data) => ({ datas: [data] })),
  });

/** Calls by replica, and how far the one furthest from their mean is from it, as a part of it. */
export interface Balance {
  readonly calls: readonly number[];
  readonly furthest: number;
}

export function balanceOf(calls: readonly number[]): Balance {
  const mean = calls.reduce((sum, count) => sum + count, 0) / calls.length;
  return { calls, furthest: Math.max(...calls.map((count) => Math.abs(count - mean))) / mean };
}

/**
 * Loads three healthy replicas and counts what each has answered, in rounds until one is balanced. On a quiet machine the
 * first is; on a busy one, or just after its start, a replica is slower than the others and rightly gets fewer calls.
 */
export async function measureBalance(
  { envoy, replicas }: Stack,
  round: GhzLoad,
  { tolerance, maxRounds }: { readonly tolerance: number; readonly maxRounds: number },
): Promise<{ readonly balance: Balance; readonly codes: Readonly<Record<string, number>> }> {
  const { datas } = await createCheckingClient(envoy.url);
  const read = () => Promise.all(replicas.map((replica) => replica.readCalls()));
  const codes: Record<string, number> = {};
  for (let rounds = 1; ; rounds++) {
    const before = await read();
    addCodes(codes, await load(envoy.url, round, datas));
    const after = await read();
    const balance = balanceOf(after.map((count, index) => count - before[index]!));
    if (balance.furthest <= tolerance || rounds === maxRounds) return { balance, codes };
  }
}

function addCodes(codes: Record<string, number>, { statusCodeDistribution }: GhzReport): void {
  for (const [code, count] of Object.entries(statusCodeDistribution))
    codes[code] = (codes[code] ?? 0) + count;
}

/** What became of the calls of a load. */
export interface LoadCounts {
  /** ghz's calls by status. */
  readonly codes: Readonly<Record<string, number>>;
  /** Vectors that our own clients compared, by way in. */
  readonly checked: readonly (CheckedCounts & { readonly name: string })[];
  /** What failed a client of our own. */
  readonly lost: readonly string[];
}

/** Callers over every way in, and rounds of ghz beside them, for as long as `events` take. */
export async function loadDuring(
  { envoy }: Stack,
  round: GhzLoad,
  events: () => Promise<void>,
): Promise<LoadCounts> {
  let isOver = false;
  const clients = await Promise.all(
    waysIn.map(async ([name, open]) => ({
      name,
      client: await createCheckingClient(envoy.url, open(envoy.url)),
    })),
  );
  const codes: Record<string, number> = {};
  const lost: string[] = [];
  const rounds = async () => {
    while (!isOver) {
      const report = await load(envoy.url, round, clients[0]!.client.datas);
      addCodes(codes, report);
      lost.push(...Object.keys(report.errorDistribution ?? {}));
    }
  };
  const checks = clients.map(async ({ name, client }) => {
    const none: CheckedCounts = { vectors: 0, wrong: [] };
    const counts = await client
      .run(() => isOver)
      .catch((error: unknown) => {
        lost.push(`${name}: ${error}`);
        return none;
      });
    return { ...counts, name };
  });
  const [checked] = await Promise.all([
    Promise.all(checks),
    rounds(),
    events().finally(() => {
      isOver = true;
    }),
  ]);
  return { codes, checked, lost };
}

/** Waits until so many more calls were answered by a replica that stays up meanwhile. */
export async function afterCalls(replica: Replica, calls: number): Promise<void> {
  const before = await replica.readCalls();
  await until(`${calls} calls at ${replica.url}`, async () => (await replica.readCalls()) >= before + calls);
}
