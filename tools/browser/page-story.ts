import type { Page } from "playwright-core";
import type { CreateEmbedderEvent, CreateEmbedderOptions } from "../../src/web/index.ts";
import { greyPicture } from "../gpu/mean-model.ts";
import type { PageGlobals } from "./package-page.ts";
import { type AskedCommand, type Verdict, verdictChannel } from "./told-worker.ts";

export interface Story {
  readonly options: Omit<CreateEmbedderOptions, "onnx" | "onProgress" | "signal">;
  /** Whether the model is given as bytes, which are then overwritten, instead of its URL. */
  readonly givesBytes?: boolean;
  /** For the commands as they come; after the last of them `go`. */
  readonly verdicts: readonly Verdict[];
  /** Pictures that are handed over at once, by their tone; the next ones after the last of them is answered. 0: no picture. */
  readonly steps: readonly (readonly number[])[];
}

/** What came of it. */
export interface StoryEnd {
  /** Of each picture "right", "wrong", or why it failed. */
  readonly results: readonly (readonly string[])[];
  readonly commands: readonly AskedCommand[];
  /** Those of the worker and its engines. */
  readonly events: readonly string[];
  readonly engine: string | undefined;
  readonly adapter: string | undefined;
}

/** Lets a page with tools/browser/small-model.ts and tools/browser/told-worker.ts open an embedder and embed. */
export async function playStory(
  page: Page,
  { options, givesBytes = false, verdicts, steps }: Story,
): Promise<StoryEnd> {
  const pictures = steps.map((tones) =>
    tones.map((tone) => {
      const { bytes, vector, tolerance } = greyPicture(tone);
      return { bytes: tone === 0 ? [1, 2, 3] : [...bytes], vector: [...vector], tolerance };
    }),
  );
  return page.evaluate(
    async ({ options, givesBytes, verdicts, pictures, channelName }) => {
      const { createEmbedder } = (globalThis as unknown as PageGlobals).portico;
      const commands: AskedCommand[] = [];
      const events: string[] = [];
      const told = [...verdicts];
      const channel = new BroadcastChannel(channelName);
      channel.onmessage = ({ data }) => {
        commands.push(data as AskedCommand);
        channel.postMessage(told.shift() ?? "go");
      };
      const onProgress = (event: CreateEmbedderEvent) => {
        if (event.kind === "engine-ready") events.push(`ready: ${event.engine}`);
        else if (event.kind === "engine-passed-over") {
          events.push(`passed over ${event.engine}: ${event.error.reason} ${event.error.message}`);
        } else if ("error" in event)
          events.push(`${event.kind}: ${event.error.reason} ${event.error.message}`);
      };
      const why = (error: unknown) => {
        const { reason, message } = error as { readonly reason?: string; readonly message: string };
        return `${reason ?? "no reason"} ${message}`;
      };
      try {
        const bytes = givesBytes
          ? new Uint8Array(await (await fetch("/model.onnx")).arrayBuffer())
          : undefined;
        const embedder = await createEmbedder({ onnx: bytes ?? "/model.onnx", onProgress, ...options });
        bytes?.fill(0);
        const results: string[][] = [];
        for (const step of pictures) {
          const embeddings = step.map(async ({ bytes, vector, tolerance }) => {
            const { vector: got } = await embedder.embed(Uint8Array.from(bytes));
            const isRight = vector.every(
              (value, index) => Math.abs(value - (got[index] as number)) <= tolerance,
            );
            return isRight ? "right" : "wrong";
          });
          results.push(await Promise.all(embeddings.map((one) => one.catch(why))));
        }
        const { engine, adapter } = embedder;
        await embedder.dispose();
        return { results, commands, events, engine, adapter };
      } catch (error) {
        return { results: [[why(error)]], commands, events, engine: undefined, adapter: undefined };
      } finally {
        channel.close();
      }
    },
    { options, givesBytes, verdicts, pictures, channelName: verdictChannel },
  );
}
