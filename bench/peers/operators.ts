import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout } from "node:timers/promises";
import { freePort } from "../../tools/loopback-port.ts";
import { createExecute } from "../execute-picture.ts";
import { peerFiles } from "./peer-files.ts";

/** A whole operator that can be started. */
export interface OperatorPeer {
  readonly name: string;
  /** Without the paths of this machine. */
  readonly command: string;
  /** Files that must be there, by what they are called. */
  readonly needs: Readonly<Record<string, string>>;
  /** @param address HOST:PORT to listen on */
  spawn(address: string): ChildProcess;
}

export interface RunningOperator {
  readonly pid: number;
  /** HOST:PORT */
  readonly address: string;
  /** From the start of the process to the first vector. */
  readonly startMs: number;
  stop(): Promise<void>;
}

/** The operator that the others are compared with. */
export const originalName = "Python original";

const startTimeoutMs = 120_000;

/** The original, and Portico with each of its engines that every host has. */
export function listOperators(workers: number): readonly OperatorPeer[] {
  const { root, python, h5, stubs } = peerFiles;
  const portico = (engine: string): OperatorPeer => {
    const args = ["serve", "--engine", engine, "--workers", String(workers)];
    const program = `${root}dist/cli/portico.js`;
    return {
      name: `Portico, ${engine}`,
      command: `portico ${args.join(" ")}`,
      needs: {},
      spawn: (address) =>
        spawn(process.execPath, [program, ...args, "--listen", address], { cwd: root, stdio: "ignore" }),
    };
  };
  const original = "conformance/reference-operator/server.py";
  return [
    {
      name: originalName,
      command: `python ${original} --weights resnet50.h5 --stubs DIR`,
      needs: { "Python with TensorFlow": python, "resnet50.h5": h5, "gRPC stubs": stubs },
      spawn: (address) =>
        spawn(python, [original, "--weights", h5, "--stubs", stubs], {
          cwd: root,
          stdio: "ignore",
          env: { ...process.env, OP_ENDPOINT: address },
        }),
    },
    portico("simd"),
    portico("ort-wasm"),
  ];
}

/**
 * Starts an operator and waits for the first vector.
 * @param photo base64
 * @throws Error if the operator ends, or gives no vector in time
 */
export async function startOperator(peer: OperatorPeer, photo: string): Promise<RunningOperator> {
  const address = `127.0.0.1:${await freePort()}`;
  const start = performance.now();
  const child = peer.spawn(address);
  const ended = once(child, "exit");
  async function stop(): Promise<void> {
    child.kill();
    await ended;
  }
  const execute = createExecute(address);
  for (;;) {
    try {
      await execute(photo);
      return { pid: child.pid!, address, startMs: performance.now() - start, stop };
    } catch (cause) {
      if (child.exitCode !== null || performance.now() - start > startTimeoutMs) {
        await stop();
        throw new Error(`${peer.name} gives no vector; start it by hand to see why: ${peer.command}`, {
          cause,
        });
      }
      await setTimeout(20);
    }
  }
}
