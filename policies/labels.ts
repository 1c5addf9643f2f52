/**
 * What a tool's answers contain and where its effects can be read: the labels that information flow is decided by.
 * They are the organisation's word, from the registry; nothing that a server says about itself counts.
 */
import * as z from "zod/mini";

export const ReadLabel = z.enum(["untrusted", "private"]);
/** `untrusted`: others wrote it, so it may hold instructions. `private`: not everybody may read it. */
export type ReadLabel = z.infer<typeof ReadLabel>;

export const WriteLabel = z.enum(["public"]);
/** `public`: what is written there, everybody can read. */
export type WriteLabel = z.infer<typeof WriteLabel>;
