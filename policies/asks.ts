/**
 * What a server can want of the agent's side, as a grant names it: that its model completes something (sampling), that
 * it answers a question (elicitation), that it says where it works (roots), that it takes what the server logs (logging).
 */
import * as z from "zod/mini";

export const Ask = z
  .enum(["sampling", "elicitation", "roots", "logging"])
  .check(z.describe("What the server may ask the agent for, or tell it without being asked."));
export type Ask = z.infer<typeof Ask>;
