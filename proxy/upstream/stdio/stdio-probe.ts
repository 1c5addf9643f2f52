/**
 * Asks a stdio server which stateless revisions it speaks (2026-07-28, stdio, "Backward Compatibility"): an answer to
 * `server/discover`, or an error, names them; any other error, or its end, says that it wants a handshake; silence
 * says nothing.
 */
import type { ClientRequest } from "../../messages/envelope.ts";
import { readSpan, type Span } from "../../messages/json-spans.ts";
import {
  CLIENT_CAPABILITIES,
  FIRST_STATELESS_REVISION,
  isStatelessRevision,
  PROTOCOL_VERSION,
  UNSUPPORTED_PROTOCOL_VERSION,
} from "../../messages/revision.ts";
import { findMembersOf, type ServerMessage } from "../../messages/server-message.ts";
import type { StdioChild } from "./stdio-child.ts";
import type { Loss } from "../upstream.ts";

/** What every server of a stateless revision answers. */
export const DISCOVER: ClientRequest = {
  kind: "request",
  id: "era",
  method: "server/discover",
  params: { _meta: { [PROTOCOL_VERSION]: FIRST_STATELESS_REVISION, [CLIENT_CAPABILITIES]: {} } },
};

/**
 * `learn` is called when the server has said it, however late; without a revision it wants a handshake. Resolves then or after `timeoutMs`, with the loss of
 * a process that could not be started.
 */
export function probeRevisions(
  child: StdioChild,
  timeoutMs: number,
  learn: (revisions: readonly string[]) => void,
): Promise<Loss | undefined> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(undefined), timeoutMs);
    const settle = (loss?: Loss): void => {
      clearTimeout(timer);
      resolve(loss);
    };
    child.request(DISCOVER, "stateless", {
      opened: () => undefined,
      filler: () => undefined,
      status: () => undefined,
      ended: () => undefined,
      message: (message) => {
        if (message.kind !== "notification") {
          learn(findRevisions(message));
          settle();
        }
        return undefined;
      },
      failed: (loss) => {
        if (loss.code === "exited") {
          learn([]);
          settle();
        } else {
          settle(loss);
        }
      },
    });
  });
}

function findRevisions(message: ServerMessage): string[] {
  const members = findMembersOf(message, message.kind);
  const read = (spans: ReadonlyMap<string, Span> | undefined, name: string): unknown => {
    const span = spans?.get(name);
    return span === undefined ? undefined : readSpan(message.text, span);
  };
  if (message.kind === "result") {
    return keepStateless(read(members, "supportedVersions"));
  }
  const data = read(members, "data");
  const isAboutRevisions = read(members, "code") === UNSUPPORTED_PROTOCOL_VERSION;
  return isAboutRevisions && typeof data === "object" && data !== null && "supported" in data
    ? keepStateless(data.supported)
    : [];
}

function keepStateless(revisions: unknown): string[] {
  return Array.isArray(revisions)
    ? revisions.filter((revision) => typeof revision === "string").filter(isStatelessRevision)
    : [];
}
