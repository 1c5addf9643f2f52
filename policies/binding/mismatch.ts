/**
 * One field that did not match, with both sides: what a refusal is explained with.
 */
export interface Mismatch {
  readonly field: string;
  readonly expected: string;
  readonly got: string;
}
