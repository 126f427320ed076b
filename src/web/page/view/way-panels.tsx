import type { VariantName } from "../../../embed/model-manifest.ts";
import type { PageController } from "../create-controller.ts";
import { formOfVariant } from "../state/model-forms.ts";
import type { PageState } from "../state/page-state.ts";
import type { WayName } from "../state/way-names.ts";
import { ModelChoice } from "./model-choice.tsx";
import { ServerToken } from "./server-token.tsx";
import { WaySwitch } from "./way-switch.tsx";

export interface WayPanelsProps {
  readonly state: PageState;
  readonly controller: PageController;
  /** Whether the server is known to want a token. */
  readonly needsToken: boolean;
  /** Forms of the model that the page's host has. */
  readonly offered: readonly VariantName[];
}

const panels: readonly { readonly title: string; readonly ways: readonly WayName[] }[] = [
  { title: "On the server", ways: ["server"] },
  { title: "In this browser, WebAssembly", ways: ["simd", "ort-wasm"] },
  { title: "In this browser, WebGPU", ways: ["ort-webgpu"] },
];

/** The three ways side by side, each with its switches. */
export function WayPanels({ state, controller, needsToken, offered }: WayPanelsProps) {
  const { status } = state.ways.server;
  const isRefused = status.kind === "failed" && status.error.reason === "UNAUTHENTICATED";
  return (
    <section aria-labelledby="ways-title">
      <h2 id="ways-title">Ways</h2>
      <ModelChoice
        model={state.model}
        offered={offered}
        variant={state.variant}
        onChoose={controller.chooseVariant}
      />
      <div class="panels">
        {panels.map(({ title, ways }) => (
          <section key={title} class="panel" aria-label={title}>
            <h3>{title}</h3>
            {ways.map((way) => (
              <WaySwitch
                key={way}
                name={way}
                way={state.ways[way]}
                form={formOfVariant(state.model, state.variant)}
                isSlow={way === "ort-webgpu" && state.isGpuSoftware}
                onSwitch={(isOn) => controller.switchWay(way, isOn)}
                onRetry={() => controller.retryWay(way)}
              />
            ))}
            {ways.includes("server") && (needsToken || isRefused) && (
              <ServerToken onToken={controller.setToken} />
            )}
          </section>
        ))}
      </div>
    </section>
  );
}
