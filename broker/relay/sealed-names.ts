/**
 * The session ids that the relay gives out: each holds what any replica needs to go on with the server's session,
 * encrypted and bound to the session of the job and to the server. Nobody can make one, or use another job's.
 */
import * as z from "zod/mini";
import type { SessionNames } from "../../proxy/gate/sessions/session-names.ts";
import { type DerivingKey, sealTexts } from "./sealed-texts.ts";

const PURPOSE = "sessions of the relay";

const Named = z.strictObject({
  id: z.string(),
  agent: z.string(),
  client: z.nullable(z.strictObject({ name: z.string(), version: z.string() })),
});

export interface NamePlace {
  readonly session: string;
  readonly server: string;
}

export function sealNames({ session, server }: NamePlace, sealingKey: DerivingKey): SessionNames {
  const texts = sealTexts(PURPOSE, sealingKey);
  const bound = [session, server];
  return {
    give: ({ id, agent, client }) => texts.seal(JSON.stringify({ id, agent, client: client ?? null }), bound),
    open: (name) => {
      const text = texts.open(name, bound);
      if (text === undefined) return undefined;
      const { id, agent, client } = Named.parse(JSON.parse(text));
      return { id, agent, client: client ?? undefined };
    },
  };
}
