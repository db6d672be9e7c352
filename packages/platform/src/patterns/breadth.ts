import type { Leaf } from "./match.ts";
import type { Shape, TextShape } from "./shape.ts";

/** How much a text lets pass that has none, one, two or three characters to be found. */
const SHORT_TEXTS = [100_000, 512, 128, 32] as const;

/**
 * A guess at how many of the values that come a leaf lets pass; only the order of these numbers counts. The narrowest leaf of a
 * pattern is asked first: what ten thousand patterns have in common should not lead to ten thousand further questions.
 */
export function breadthOf({ matchers, allowsAbsence }: Leaf): number {
  return matchers.reduce((sum, matcher) => sum + breadthOfShape(matcher), allowsAbsence ? 4_000_000 : 0);
}

function breadthOfShape(shape: Shape): number {
  switch (shape.kind) {
    case "equal":
      return 1;
    case "address":
      return 4;
    case "range":
      return shape.high - shape.low < 1_000_000_000 ? 64 : 4_096;
    case "not-equal":
    case "not-like":
      return 1_000_000;
    case "present":
      return 2_000_000;
    default:
      return breadthOfText(shape);
  }
}

function breadthOfText(shape: TextShape): number {
  if (shape.kind === "whole") return 1;
  const texts = shape.kind === "wildcard" ? shape.literals : [shape.text];
  return SHORT_TEXTS[Math.max(...texts.map((text) => text.length))] ?? 4;
}
