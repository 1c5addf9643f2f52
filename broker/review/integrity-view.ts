/**
 * What the log of one session rests on, as plain values: its objects, what was verified, and what was wrong.
 */
import * as z from "zod";
import { Manifest } from "../../audit/manifest.ts";

/** A part of a log that does not verify: an object, and the record where one can be named. */
export const ProblemView = z.object({ part: z.string(), code: z.string(), message: z.string() });
export type ProblemView = z.infer<typeof ProblemView>;

const ObjectView = z.object({
  object: z.string(),
  bytes: z.int(),
  sha256: z.string(),
  first_seq: z.int(),
  last_seq: z.int(),
  /** False: countersigned, but not in the bucket. */
  stored: z.boolean(),
});
export type ObjectView = z.infer<typeof ObjectView>;

export const IntegrityView = z.object({
  records: z.int(),
  recovered_records: z.int(),
  /** Of both, those that this view leaves out for their number. */
  more_records: z.int(),
  checkpoints: z.int(),
  last_witnessed_seq: z.int().nullable(),
  head: z.string().nullable(),
  /** As the broker countersigned them; a manifest repeats them. */
  objects: z.array(ObjectView),
  more_objects: z.int(),
  manifest: z.object({ status: Manifest.shape.status, written_at: z.string() }).nullable(),
  /** The keys that signed its checkpoints and its manifest. */
  keys: z.array(z.string()),
  /** Where the objects lie in the bucket. */
  prefix: z.string(),
  /** How to verify it offline, one command a line. */
  verify: z.array(z.string()),
  problems: z.array(ProblemView),
  more_problems: z.int(),
  /** What verification remarks without calling the log broken: a tail that does not continue it, a lacking segment. */
  notes: z.array(ProblemView),
});
export type IntegrityView = z.infer<typeof IntegrityView>;
