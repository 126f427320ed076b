import type { ExecuteReply } from "../gen/omnisearch/operator_pb.ts";
import type { ImagesExpectation } from "../gen/portico/conformance/v1/suite_pb.ts";

/** The pictures of a reply, as base64 text. */
export type Images = readonly string[];

/** What a reply of a processor is judged against besides the case itself. */
export interface ImagesContext {
  /** What the processor made of each picture of fixtures/images/ that it got alone. */
  readonly madeOf: Map<string, Images>;
  /** How many pictures it makes of one; 0 if that depends on the picture. */
  readonly imagesPerPicture: number;
  /** Pictures of the case's first step. */
  readonly firstStep: Images | undefined;
  /** Pictures that the same case gave over another transport. */
  readonly otherTransport: { readonly name: string; readonly images: Images } | undefined;
}

/** Judges a successful Execute of a processor: counts, vectors, base64, order, identity with other replies. */
export function checkImages(
  reply: ExecuteReply,
  expected: ImagesExpectation,
  { madeOf, imagesPerPicture, firstStep, otherTransport }: ImagesContext,
): readonly string[] {
  const { sources, pngWidth, pngHeight } = expected;
  const images = imagesOf(reply);
  const problems: string[] = [];
  if (reply.vectors.length > 0) problems.push(`expected no vectors, got ${reply.vectors.length}`);
  if (reply.nums !== BigInt(images.length)) {
    problems.push(`expected nums to be the number of pictures, ${images.length}, got ${reply.nums}`);
  }
  const count = sources.length * imagesPerPicture;
  if ((imagesPerPicture > 0 || sources.length === 0) && images.length !== count) {
    problems.push(`expected ${count} pictures, got ${images.length}`);
  }
  for (const [index, { url }] of reply.metadata.entries()) {
    if (url !== "") problems.push(`picture ${index}: expected an empty url, got "${url.slice(0, 100)}"`);
    const problem = imageProblem(images[index]!, pngWidth, pngHeight);
    if (problem) problems.push(`picture ${index}: ${problem}`);
  }
  if (expected.sameAsFirstStep && !areSame(images, firstStep ?? [])) {
    problems.push("the pictures differ from those of the first step");
  }
  if (expected.sameOverTransports && otherTransport && !areSame(images, otherTransport.images)) {
    problems.push(`the pictures differ from those over ${otherTransport.name}`);
  }
  if (problems.length > 0) return problems;
  const [only] = sources;
  if (only !== undefined && sources.length === 1 && !madeOf.has(only)) madeOf.set(only, images);
  return orderProblems(images, sources, madeOf);
}

export function imagesOf({ metadata }: ExecuteReply): Images {
  return metadata.map(({ data }) => Buffer.from(data).toString("latin1"));
}

function areSame(left: Images, right: Images): boolean {
  return left.length === right.length && left.every((image, index) => image === right[index]);
}

/** The next operator reads it as it stands. */
function imageProblem(image: string, pngWidth: number, pngHeight: number): string | undefined {
  if (image === "") return "expected base64 text, got nothing";
  if (image.length % 4 !== 0 || !/^[A-Za-z0-9+/]+={0,2}$/.test(image)) {
    return `expected base64 text, got "${image.slice(0, 20)}..." of ${image.length} characters`;
  }
  if (pngWidth === 0 && pngHeight === 0) return undefined;
  const file = Buffer.from(image, "base64");
  if (file.length < 24 || file.toString("latin1", 1, 4) !== "PNG") return "expected a PNG";
  const [width, height] = [file.readUInt32BE(16), file.readUInt32BE(20)];
  if (width === pngWidth && height === pngHeight) return undefined;
  return `expected ${pngWidth} x ${pngHeight} pixels, got ${width} x ${height}`;
}

/** Where it is known of each source what becomes of it, the reply is all of that, one after the other. */
function orderProblems(
  images: Images,
  sources: readonly string[],
  madeOf: ReadonlyMap<string, Images>,
): readonly string[] {
  const known = sources.map((source) => madeOf.get(source));
  if (known.includes(undefined)) return [];
  const wanted = known.flatMap((made, at) => (made ?? []).map((image) => ({ image, source: sources[at] })));
  if (wanted.length !== images.length) {
    return [`expected ${wanted.length} pictures, as many as of each source alone, got ${images.length}`];
  }
  return wanted.flatMap(({ image, source }, index) => {
    if (image === images[index]) return [];
    const other = wanted.find((candidate) => candidate.image === images[index]);
    return [`picture ${index}: expected that of ${source}${other ? `, got that of ${other.source}` : ""}`];
  });
}
