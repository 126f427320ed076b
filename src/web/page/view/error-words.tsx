import type { PlainEmbedError } from "../../../errors.ts";
import { describeError } from "../words/describe-error.ts";

export interface ErrorWordsProps {
  readonly error: PlainEmbedError;
  /** Whether the sentence for everybody stands elsewhere already. */
  readonly isSentenceSaid?: boolean;
}

/** An error in words, with its particulars. */
export function ErrorWords({ error, isSentenceSaid = false }: ErrorWordsProps) {
  const { sentence, particulars, reason } = describeError(error);
  return (
    <div class="error">
      {!isSentenceSaid && <p>{sentence}</p>}
      <p class="particulars">
        {particulars} <code>{reason}</code>
      </p>
    </div>
  );
}
