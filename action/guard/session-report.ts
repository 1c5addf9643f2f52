/**
 * What the control endpoint tells post: whose session it was, what was called, and whether the log is sealed.
 */
import * as z from "zod/mini";
import { TallyReport } from "./tally.ts";

const SessionFacts = z.strictObject({
  session: z.string(),
  robot: z.string(),
  roles: z.array(z.string()),
  servers: z.array(z.string()),
  agents: z.array(z.string()),
});

export const SessionReport = z.strictObject({
  facts: SessionFacts,
  tally: TallyReport,
  reviewUrl: z.string(),
  log: z.discriminatedUnion("status", [
    z.strictObject({ status: z.literal("open") }),
    z.strictObject({ status: z.literal("sealed") }),
    /** One clause: why the broker could not seal it. */
    z.strictObject({ status: z.literal("unsealed"), reason: z.string() }),
  ]),
});
export type SessionReport = z.infer<typeof SessionReport>;
