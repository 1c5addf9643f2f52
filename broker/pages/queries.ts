/**
 * What may stand in the addresses of pages and API.
 */
import * as z from "zod";
import { RunStatus } from "../review/view.ts";

/** An empty field of a form says nothing. */
const optional = <T extends z.ZodType>(schema: T) =>
  z.preprocess((value) => (value === "" ? undefined : value), schema.optional());

export const RunListQuery = z.object({
  repository: optional(
    z
      .string()
      .trim()
      .max(200)
      .regex(/^[^/\s\0]+\/[^/\s\0]+$/),
  ),
  status: optional(RunStatus),
  before: optional(z.string().regex(/^[0-9]{1,15}\.[A-Za-z0-9_-]{1,100}$/)),
});

export const RunParams = z.object({ run: z.string().regex(/^[0-9a-f]{8,64}$/) });

export const RunQuery = z.object({ offset: z.coerce.number().int().min(0).max(1e9).catch(0) });

export const SessionParams = z.object({ session: z.string().regex(/^[A-Za-z0-9_-]{1,100}$/) });

export const LogQuery = z.object({ stream: z.enum(["runner", "recovered"]).catch("runner") });
