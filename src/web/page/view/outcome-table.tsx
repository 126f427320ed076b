import { formOfSpace } from "../state/model-forms.ts";
import type { ModelSummary, Outcome, Picture } from "../state/page-state.ts";
import { type WayName, wayNames, wayTitles } from "../state/way-names.ts";
import type { Waiting } from "../words/describe-waiting.ts";
import { formatMs } from "../words/format-numbers.ts";
import { ErrorWords } from "./error-words.tsx";

export interface OutcomeTableProps {
  readonly picture: Picture;
  readonly waiting: Waiting;
  readonly model: ModelSummary | undefined;
}

/** How long each way took for each stage, or what became of the picture there. */
export function OutcomeTable({ picture, waiting, model }: OutcomeTableProps) {
  const ways = wayNames.filter((way) => waiting[way] !== undefined);
  if (ways.length === 0) return <p class="status">Switch a way on to get its vector.</p>;
  return (
    <table class="outcomes">
      <caption class="unseen">Time of each stage for {picture.name}</caption>
      <thead>
        <tr>
          <th scope="col">Decode</th>
          <th scope="col">Preprocess</th>
          <th scope="col">Infer</th>
          <th scope="col">Total</th>
        </tr>
      </thead>
      {ways.map((way) => (
        <tbody key={way} data-way={way}>
          <WayRows way={way} outcome={picture.outcomes[way]} waiting={waiting[way] ?? ""} model={model} />
        </tbody>
      ))}
    </table>
  );
}

interface WayRowsProps {
  readonly way: WayName;
  readonly outcome: Outcome | undefined;
  readonly waiting: string;
  readonly model: ModelSummary | undefined;
}

function WayRows({ way, outcome, waiting, model }: WayRowsProps) {
  const form = outcome?.kind === "done" ? formOfSpace(model, outcome.vectorSpace) : undefined;
  return (
    <>
      <tr>
        <th scope="rowgroup" colSpan={4}>
          {wayTitles[way]}
          {outcome?.kind === "done" && outcome.engine !== "" && way === "server" && ` (${outcome.engine})`}
          {form?.accuracy && `, ${form.variant}`}
        </th>
      </tr>
      {outcome?.kind === "done" ? (
        <tr>
          <td>{formatMs(outcome.timings.decodeMs)}</td>
          <td>{formatMs(outcome.timings.preprocessMs)}</td>
          <td>{formatMs(outcome.timings.inferMs)}</td>
          <td>{formatMs(outcome.totalMs)}</td>
        </tr>
      ) : (
        <tr>
          <td colSpan={4}>
            {outcome === undefined && <span class="status">{waiting}</span>}
            {outcome?.kind === "working" && <span class="status">Working on it</span>}
            {outcome?.kind === "failed" && <ErrorWords error={outcome.error} />}
          </td>
        </tr>
      )}
    </>
  );
}
