/**
 * Asks a stdio server which era it speaks (2026-07-28, stdio, "Backward Compatibility"): an answer to
 * `server/discover`, or an error that names stateless revisions, says stateless; any other error, or its end, says
 * handshake; silence says nothing.
 */
import type { ClientRequest } from "../messages/envelope.ts";
import { readSpan, type Span } from "../messages/json-spans.ts";
import {
  CLIENT_CAPABILITIES,
  type Era,
  FIRST_STATELESS_REVISION,
  isStatelessRevision,
  PROTOCOL_VERSION,
  UNSUPPORTED_PROTOCOL_VERSION,
} from "../messages/revision.ts";
import { findMembersOf, type ServerMessage } from "../messages/server-message.ts";
import type { StdioChild } from "./stdio-child.ts";
import type { Loss } from "./upstream.ts";

const PROBE: ClientRequest = {
  kind: "request",
  id: "era",
  method: "server/discover",
  params: { _meta: { [PROTOCOL_VERSION]: FIRST_STATELESS_REVISION, [CLIENT_CAPABILITIES]: {} } },
};

/**
 * `learn` is called when the server has said it, however late. Resolves then or after `timeoutMs`, with the loss of
 * a process that could not be started.
 */
export function probeEra(
  child: StdioChild,
  timeoutMs: number,
  learn: (era: Era) => void,
): Promise<Loss | undefined> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(undefined), timeoutMs);
    const settle = (loss?: Loss): void => {
      clearTimeout(timer);
      resolve(loss);
    };
    child.request(PROBE, "stateless", {
      opened: () => undefined,
      filler: () => undefined,
      status: () => undefined,
      ended: () => undefined,
      message: (message) => {
        if (message.kind !== "notification") {
          learn(findEra(message));
          settle();
        }
        return undefined;
      },
      failed: (loss) => {
        if (loss.code === "exited") {
          learn("handshake");
          settle();
        } else {
          settle(loss);
        }
      },
    });
  });
}

function findEra(message: ServerMessage): Era {
  const members = findMembersOf(message, message.kind);
  const read = (spans: ReadonlyMap<string, Span> | undefined, name: string): unknown => {
    const span = spans?.get(name);
    return span === undefined ? undefined : readSpan(message.text, span);
  };
  if (message.kind === "result") {
    return namesStateless(read(members, "supportedVersions")) ? "stateless" : "handshake";
  }
  const data = read(members, "data");
  const supported =
    typeof data === "object" && data !== null && "supported" in data ? data.supported : undefined;
  const isStateless = read(members, "code") === UNSUPPORTED_PROTOCOL_VERSION && namesStateless(supported);
  return isStateless ? "stateless" : "handshake";
}

function namesStateless(revisions: unknown): boolean {
  return (
    Array.isArray(revisions) &&
    revisions.some((revision) => typeof revision === "string" && isStatelessRevision(revision))
  );
}
