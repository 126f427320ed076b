import { useRef } from "preact/hooks";
import type { ModelForm, Way } from "../state/page-state.ts";
import { type WayName, wayDescriptions, wayTitles } from "../state/way-names.ts";
import { describeWay } from "../words/describe-way.ts";
import { formatBytes } from "../words/format-bytes.ts";
import { ErrorWords } from "./error-words.tsx";
import { passFocus } from "./pass-focus.ts";

export interface WaySwitchProps {
  readonly name: WayName;
  readonly way: Way;
  /** Of the model, that this way would download. */
  readonly form: ModelForm | undefined;
  /** Whether it computes on a GPU that is made of software. */
  readonly isSlow: boolean;
  readonly onSwitch: (isOn: boolean) => void;
  readonly onRetry: () => void;
}

/** One way: its switch, what it is, how far it is, and what to do if it failed. */
export function WaySwitch({ name, way, form, isSlow, onSwitch, onRetry }: WaySwitchProps) {
  const { status, isOn, notKept, losses, replaced } = way;
  const input = useRef<HTMLInputElement>(null);
  function retry(): void {
    passFocus(input.current);
    onRetry();
  }
  const isDownload = status.kind === "off" && name !== "server" && form !== undefined;
  return (
    <div class="way" data-way={name} data-status={status.kind}>
      <label class="switch">
        <input
          ref={input}
          type="checkbox"
          checked={isOn}
          disabled={status.kind === "unavailable"}
          aria-describedby={`${name}-what ${name}-status`}
          onChange={(event) => onSwitch(event.currentTarget.checked)}
        />
        <span>{wayTitles[name]}</span>
      </label>
      <p id={`${name}-what`} class="hint">
        {wayDescriptions[name]}
        {isDownload && ` The model, ${formatBytes(form.bytes)}, is downloaded once.`}
      </p>
      <p id={`${name}-status`} class="status">
        {describeWay(name, way)}
      </p>
      {status.kind === "downloading" && (
        <progress
          aria-label={`Download of the model for ${wayTitles[name]}`}
          value={status.receivedBytes}
          max={status.totalBytes}
        />
      )}
      {isSlow && (
        <p class="hint">
          The GPU here is made of software: it may take minutes to start, and a minute for each picture.
        </p>
      )}
      {status.kind === "ready" && status.adapter !== "" && <p class="hint">{status.adapter}</p>}
      {status.kind === "ready" && notKept !== "" && (
        <p class="hint">
          It works, but the browser could not keep the model, so the next visit downloads it again: {notKept}
        </p>
      )}
      {losses > 0 && (
        <p class="hint">
          It was lost {losses === 1 ? "once" : `${losses} times`}, and another one goes on: {replaced}
        </p>
      )}
      {status.kind === "failed" && (
        <>
          <ErrorWords error={status.error} isSentenceSaid />
          <button type="button" onClick={retry}>
            Try again<span class="unseen">: {wayTitles[name]}</span>
          </button>
        </>
      )}
    </div>
  );
}
