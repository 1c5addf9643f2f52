/**
 * The session ids that the relay gives out: each holds what any replica needs to go on with the server's session,
 * encrypted and bound to the session of the job and to the server. Nobody can make one, or use another job's.
 */
import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import * as z from "zod/mini";
import type { SessionNames } from "../../proxy/gate/session-names.ts";
import type { SealingKey } from "../keys/sealing-key.ts";

const IV_BYTES = 12;
const TAG_BYTES = 16;
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

export function sealNames(
  { session, server }: NamePlace,
  sealingKey: Pick<SealingKey, "kids" | "derive">,
): SessionNames {
  const bound = Buffer.from(JSON.stringify([session, server]));
  return {
    give: ({ id, agent, client }) => {
      const iv = randomBytes(IV_BYTES);
      const cipher = createCipheriv("aes-256-gcm", sealingKey.derive(PURPOSE), iv).setAAD(bound);
      const text = JSON.stringify({ id, agent, client: client ?? null });
      const sealed = Buffer.concat([cipher.update(text, "utf8"), cipher.final()]);
      return Buffer.concat([iv, cipher.getAuthTag(), sealed]).toString("base64url");
    },
    open: (name) => {
      const bytes = Buffer.from(name, "base64url");
      if (bytes.length <= IV_BYTES + TAG_BYTES || bytes.toString("base64url") !== name) return undefined;
      for (const kid of sealingKey.kids) {
        const text = decrypt(bytes, sealingKey.derive(PURPOSE, kid), bound);
        if (text === undefined) continue;
        const { id, agent, client } = Named.parse(JSON.parse(text));
        return { id, agent, client: client ?? undefined };
      }
      return undefined;
    },
  };
}

function decrypt(bytes: Buffer, key: Buffer, bound: Buffer): string | undefined {
  const iv = bytes.subarray(0, IV_BYTES);
  const tag = bytes.subarray(IV_BYTES, IV_BYTES + TAG_BYTES);
  const decipher = createDecipheriv("aes-256-gcm", key, iv).setAAD(bound).setAuthTag(tag);
  try {
    const opened = [decipher.update(bytes.subarray(IV_BYTES + TAG_BYTES)), decipher.final()];
    return Buffer.concat(opened).toString("utf8");
  } catch {
    return undefined;
  }
}
