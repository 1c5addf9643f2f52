/**
 * `aws-role`: a session of an IAM role for one session of a robot, under its name, for servers that the proxy starts.
 * The broker's own AWS identity assumes the role, so nothing that lives long is stored for it. STS cannot end a session:
 * it lives until it expires, and no longer than it must.
 */
import type { CredentialKind } from "../../kind.ts";
import type { Surroundings } from "./assuming.ts";

let surroundings: Surroundings | undefined;

export const awsRole: CredentialKind<"aws-role"> = {
  name: "aws-role",
  lifetime: "session",
  asksFor: undefined,
  checkSecret: () => "It has no secret: the role is assumed by the broker's own AWS identity.",
  async mint(context) {
    // The SDK is loaded by brokers that use it.
    const { assumeRole, readSurroundings } = await import("./assuming.ts");
    surroundings ??= readSurroundings();
    return assumeRole(context, surroundings);
  },
  async identify(minted, context) {
    const { identifySession } = await import("./identity.ts");
    return identifySession(minted, context);
  },
};
