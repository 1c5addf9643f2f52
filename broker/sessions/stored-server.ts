/**
 * A server as it is stored with a session: where it was when the session was issued, and which credential it wants to
 * see. The runner is told of it what the runner needs: of one behind the relay, that the broker is to be asked.
 */
import { z } from "zod";
import { ServerLimits } from "../../policies/server-limits.ts";
import type { SessionCredential, SessionServer } from "../contract.ts";
import type { Presented } from "../credentials/presenting.ts";

const limits = z.optional(ServerLimits);

export const StoredServer = z.discriminatedUnion("transport", [
  z.strictObject({
    transport: z.literal("http"),
    url: z.string(),
    credential: z.string().optional(),
    limits,
  }),
  z.strictObject({ transport: z.literal("relay"), url: z.string(), credential: z.string(), limits }),
  z.strictObject({
    transport: z.literal("stdio"),
    command: z.array(z.string()).min(1),
    env: z.record(z.string(), z.string()),
    start: z.enum(["eager", "lazy"]),
    credential: z.string().optional(),
    limits,
  }),
]);
const CREDENTIAL_VARIABLE = "{credential}";

export type StoredServer = z.infer<typeof StoredServer>;

/** `credential`: what the runner itself presents. */
export function describeServer(
  server: StoredServer,
  credential: SessionCredential | undefined,
): SessionServer {
  switch (server.transport) {
    case "relay":
      return { transport: "relay", limits: server.limits };
    case "http":
      return { ...server, credential };
    case "stdio": {
      // What the credential stands for comes with it, or not at all.
      const plain = Object.entries(server.env).filter(([, text]) => !text.includes(CREDENTIAL_VARIABLE));
      return { ...server, env: Object.fromEntries(plain), credential };
    }
  }
}

/** The variables of a server that the proxy starts, with what it is to present filled in. */
export function fillEnvironment(
  server: StoredServer,
  { env, value }: Pick<Presented, "env" | "value">,
): Record<string, string> {
  if (server.transport !== "stdio") return {};
  const filled = Object.entries(server.env).flatMap(([name, text]): [string, string][] =>
    text.includes(CREDENTIAL_VARIABLE) && value !== undefined
      ? [[name, text.replaceAll(CREDENTIAL_VARIABLE, () => value)]]
      : [],
  );
  return { ...env, ...Object.fromEntries(filled) };
}
