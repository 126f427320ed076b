import { compareVectors } from "../../src/embed/compare-vectors.ts";
import { normaliseL2 } from "../../src/embed/normalise.ts";
import type { Skipped } from "../open-engines.ts";
import { type Spread, spreadOf } from "../statistics.ts";
import type { ChromiumPage } from "./chromium-page.ts";
import { openChromiumPage } from "./chromium-page.ts";
import { type OpenPeer, startEngineProcess } from "./engine-process.ts";
import { findMissing, peerFiles } from "./peer-files.ts";

/**
 * Engines of others and Portico's own, each in a process of its own or in one page of Chromium, on the same tensor with the
 * same weights. Before any is timed its vector must be that of Keras.
 */

export interface EnginePeersReport {
  readonly threads: number;
  readonly rounds: number;
  /** Runs of one engine in one round, after one that is not timed. */
  readonly runs: number;
  readonly peers: readonly EnginePeerTimes[];
  readonly skipped: readonly Skipped[];
}

export interface EnginePeerTimes extends Spread {
  readonly name: string;
  readonly kind: PeerKind;
  readonly version: string;
  readonly loadMs: number;
  /** Largest difference of its normalised vector to Keras's. */
  readonly maxAbsError: number;
}

/** WebAssembly in Node, WebAssembly in Chromium, or machine code for this processor. */
export type PeerKind = "wasm" | "page" | "native";

/** A peer whose vector is further than this from Keras's computes something else. */
const maxAbsError = 1e-4;

interface Peer {
  readonly name: string;
  readonly kind: PeerKind;
  /** Files that must be there, by what they are called. */
  readonly needs: Readonly<Record<string, string>>;
  /** Whether several threads can work on one picture. */
  readonly isThreaded: boolean;
  open(threads: number): Promise<OpenPeer>;
}

export interface EnginePeersOptions {
  readonly threads: number;
  readonly rounds: number;
  readonly runs: number;
  readonly onnxFile: string;
  /** Path of Chromium. */
  readonly chromium: string;
  /** Keras's vector for the tensor in `peerFiles.tensor`. */
  readonly expected: Float32Array;
}

/** @throws Error if a peer's vector is not Keras's */
export async function measureEnginePeers(options: EnginePeersOptions): Promise<EnginePeersReport> {
  const { threads, rounds, runs, expected } = options;
  let page: Promise<ChromiumPage> | undefined;
  const openPage = () => {
    page ??= openChromiumPage(options.chromium, options.onnxFile, threads);
    return page;
  };
  const skipped: Skipped[] = [];
  const timed: (Omit<EnginePeerTimes, keyof Spread> & { open: OpenPeer; timesMs: number[] })[] = [];
  try {
    for (const { name, kind, needs, isThreaded, open } of listPeers(options, openPage)) {
      const missing =
        threads > 1 && !isThreaded
          ? "threads that share a picture in a page, which Portico does not have"
          : findMissing(needs);
      if (missing !== undefined) {
        console.log(`${name}, ${kind}: skipped: needs ${missing}`);
        skipped.push({ name: `${name}, ${kind}`, needs: missing });
        continue;
      }
      const opened = await open(threads);
      const difference = compareVectors(normaliseL2(opened.features), expected).maxAbsError;
      // Written so that NaN is refused too.
      if (!(difference <= maxAbsError))
        throw new Error(`${name}: expected Keras's vector within ${maxAbsError}, got one ${difference} away`);
      const { version, loadMs } = opened;
      timed.push({ name, kind, version, loadMs, maxAbsError: difference, open: opened, timesMs: [] });
    }
    for (let round = 0; round < rounds; round++) {
      for (let turn = 0; turn < timed.length; turn++) {
        const { open, timesMs } = timed[(round + turn) % timed.length]!;
        // What ran before has the caches.
        timesMs.push(...(await open.run(1 + runs)).slice(1));
      }
    }
  } finally {
    await Promise.all(timed.map(({ open }) => open.close()));
    await (await page)?.close();
  }
  const peers = timed.map(({ open: _, timesMs, ...facts }) => ({ ...facts, ...spreadOf(timesMs) }));
  return { threads, rounds, runs, peers, skipped };
}

function listPeers(options: EnginePeersOptions, openPage: () => Promise<ChromiumPage>): readonly Peer[] {
  const { onnxFile, chromium } = options;
  const { root, python, h5, tflite, tfjsModel, tensor, modules } = peerFiles;
  const inNode = (engine: string) => (threads: number) =>
    startEngineProcess(process.execPath, [
      `${root}bench/peers/node-engine.ts`,
      ...[engine, String(threads), onnxFile, tensor],
    ]);
  const inPython = (engine: string, model: string) => (threads: number) =>
    startEngineProcess(python, [
      `${root}bench/peers/python_engine.py`,
      ...[engine, String(threads), model, tensor],
    ]);
  const inPage = (engine: string) => async () => (await openPage()).open(engine);
  return [
    { name: "Portico simd", kind: "wasm", needs: {}, isThreaded: true, open: inNode("simd") },
    { name: "onnxruntime-web", kind: "wasm", needs: {}, isThreaded: true, open: inNode("onnxruntime-web") },
    { name: "Portico simd", kind: "page", needs: { chromium }, isThreaded: false, open: inPage("simd") },
    {
      name: "LiteRT.js",
      kind: "page",
      needs: { chromium, "@litertjs/core": `${modules}/@litertjs/core`, "resnet50.tflite": tflite },
      isThreaded: true,
      open: inPage("litert"),
    },
    {
      name: "TensorFlow.js",
      kind: "page",
      needs: {
        chromium,
        "@tensorflow/tfjs-backend-wasm": `${modules}/@tensorflow/tfjs-backend-wasm`,
        "the weights as a tfjs model": tfjsModel,
      },
      isThreaded: true,
      open: inPage("tfjs"),
    },
    {
      name: "onnxruntime-node",
      kind: "native",
      needs: { "onnxruntime-node": `${modules}/onnxruntime-node` },
      isThreaded: true,
      open: inNode("onnxruntime-node"),
    },
    {
      name: "OpenVINO",
      kind: "native",
      needs: { "Python with OpenVINO": python },
      isThreaded: true,
      open: inPython("openvino", onnxFile),
    },
    {
      name: "Keras",
      kind: "native",
      needs: { "Python with TensorFlow": python, "resnet50.h5": h5 },
      isThreaded: true,
      open: inPython("keras", h5),
    },
  ];
}
