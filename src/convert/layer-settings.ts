import { invalidModel, unsupportedLayer } from "./convert-error.ts";
import { isCount, isCountList, showJson } from "./keras-format/json.ts";
import type { KerasLayer } from "./keras-format/keras-model.ts";

/** Typed reading of a layer's `config`. A setting of the wrong type is a broken file: `CONVERT_INVALID`. */

/** A setting that this converter knows in one value only, which is also Keras's default. */
export function requireSetting(layer: KerasLayer, setting: string, supported: unknown): void {
  const value = layer.config[setting] ?? supported;
  if (JSON.stringify(value) !== JSON.stringify(supported)) {
    throw unsupportedLayer(
      layer,
      `${setting} is ${showJson(value)}; only ${showJson(supported)} is supported`,
    );
  }
}

/**
 * Refuses an `axis` that is not the last. It counts the batch, so the channels of a picture are axis 3; Keras 2
 * writes a batch normalisation's as a list of one.
 */
export function requireLastAxis(layer: KerasLayer, rank: number): void {
  const setting = layer.config.axis ?? -1;
  const axis = Array.isArray(setting) && setting.length === 1 ? (setting[0] as unknown) : setting;
  if (axis !== -1 && axis !== rank) {
    throw unsupportedLayer(layer, `axis is ${showJson(setting)}; only the last axis (${rank}) is supported`);
  }
}

export function readChoice<T extends string>(layer: KerasLayer, setting: string, choices: readonly T[]): T {
  const value = layer.config[setting];
  const choice = choices.find((one) => one === value);
  if (choice === undefined) {
    const known = choices.map((one) => `"${one}"`).join(", ");
    throw unsupportedLayer(layer, `${setting} is ${showJson(value)}; supported: ${known}`);
  }
  return choice;
}

export function readFlag(layer: KerasLayer, setting: string, fallback: boolean): boolean {
  const value = layer.config[setting] ?? fallback;
  if (typeof value !== "boolean") throw wrongType(layer, setting, "true or false", value);
  return value;
}

export function readNumber(layer: KerasLayer, setting: string, fallback?: number): number {
  const value = layer.config[setting] ?? fallback;
  if (typeof value !== "number" || !Number.isFinite(value))
    throw wrongType(layer, setting, "a number", value);
  return value;
}

/** One number, or a list of one for each channel. */
export function readNumbers(
  layer: KerasLayer,
  setting: string,
  channels: number,
  fallback?: number,
): number | readonly number[] {
  const value = layer.config[setting] ?? fallback;
  const isNumber = (one: unknown): one is number => typeof one === "number" && Number.isFinite(one);
  if (isNumber(value)) return value;
  const isList = Array.isArray(value) && value.length === channels && value.every(isNumber);
  if (!isList) throw wrongType(layer, setting, `a number, or a list of ${channels}`, value);
  return value as readonly number[];
}

/** Whole numbers from `least`, at least one of them. */
export function readCounts(layer: KerasLayer, setting: string, least: 0 | 1): readonly number[] {
  const value = layer.config[setting];
  if (!isCountList(value) || value.length === 0 || value.some((one) => one < least))
    throw wrongType(layer, setting, `whole numbers from ${least}`, value);
  return value;
}

/** A whole number from 1. */
export function readSize(layer: KerasLayer, setting: string, fallback?: number): number {
  const value = layer.config[setting] ?? fallback;
  if (!isCount(value) || value < 1) throw wrongType(layer, setting, "a whole number from 1", value);
  return value;
}

/** (height, width), each from 1. */
export function readSizePair(
  layer: KerasLayer,
  setting: string,
  fallback?: readonly [number, number],
): readonly [number, number] {
  const value = layer.config[setting] ?? fallback;
  if (!isCountList(value) || value.length !== 2 || value.includes(0)) {
    throw wrongType(layer, setting, "two whole numbers from 1", value);
  }
  return [value[0]!, value[1]!];
}

/** ((top, bottom), (left, right)), each from 0. */
export function readMargins(
  layer: KerasLayer,
  setting: string,
): readonly [readonly [number, number], readonly [number, number]] {
  const value = layer.config[setting];
  const valid =
    Array.isArray(value) &&
    value.length === 2 &&
    value.every((side) => isCountList(side) && side.length === 2);
  if (!valid) throw wrongType(layer, setting, "((top, bottom), (left, right))", value);
  return value as unknown as readonly [readonly [number, number], readonly [number, number]];
}

function wrongType(layer: KerasLayer, setting: string, expected: string, got: unknown): Error {
  return invalidModel(
    `layer "${layer.name}" (${layer.className}): expected ${setting} to be ${expected}, got ${showJson(got)}`,
  );
}
