/**
 * `tools/list`: the agent sees what a grant names; the log learns what the server has.
 */
import { answerFailure } from "../messages/refusals.ts";
import type { ServerAnswer } from "../messages/server-message.ts";
import { type Amendment, passUnchanged } from "./amendment.ts";
import { withoutClientCapabilities } from "./capabilities.ts";
import type { Asked, GateContext } from "./gate-context.ts";
import { filterToolList } from "./tool-list.ts";

export function passToolListing(context: GateContext, { sender, request, reply }: Asked): void {
  const cursor = request.params?.["cursor"];
  const amend = (answer: ServerAnswer): Amendment => {
    if (answer.kind === "error") {
      return passUnchanged(answer);
    }
    const { policy, server, limits } = context;
    const list = filterToolList(answer, limits, (tool) => policy.ruleNaming(server, tool) !== undefined);
    const isTaken =
      list !== undefined &&
      context.catalog.learn({ ...list, cursor: typeof cursor === "string" ? cursor : undefined });
    if (!isTaken) {
      const message = `The server "${server}" sent a list of tools that cannot be read`;
      return { outcome: "blocked", refusal: answerFailure(request.id, message) };
    }
    context.catalog.recordNews(() => recordCatalog(context));
    return { outcome: "ok", message: list.message };
  };
  context.forwarding.request(sender, withoutClientCapabilities(request), { reply, amend });
}

/** Throws `RecordingFailed`: a list that the log does not know is not shown. */
function recordCatalog({ catalog, policy, recording, server }: GateContext): void {
  const tools = [...catalog.tools].map(([name, { digest }]) => {
    const rule = policy.ruleNaming(server, name);
    return { name, digest, visible: rule !== undefined, why: rule ?? "no_grant" };
  });
  recording.recordCatalog({ server, tools });
}
