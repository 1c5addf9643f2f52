/**
 * Finds out whether a process that is asked for nothing still answers: after a while of silence it is pinged. Where the
 * revision has no ping, with the one question that every server answers. One that is at work is left alone, its calls
 * have a time limit of their own. So is one that merely never learned to answer a ping.
 */
import type { Limits } from "../../limits.ts";
import type { ClientRequest } from "../../messages/envelope.ts";
import type { Era } from "../../messages/revision.ts";
import type { StdioChild } from "./stdio-child.ts";
import { DISCOVER } from "./stdio-probe.ts";
import type { Sink } from "../upstream.ts";

const PING: ClientRequest = { kind: "request", id: "health", method: "ping", params: undefined };

/** Until the process is over. */
export function watchHealth(
  child: StdioChild,
  era: Era,
  { pingIntervalMs, pingTimeoutMs, stopGraceMs }: Limits,
): void {
  // Without a handshake it was by such an answer that it said what it speaks.
  let isKnownToAnswer = era === "stateless";
  const sink: Sink = {
    opened: () => undefined,
    filler: () => undefined,
    status: () => undefined,
    ended: () => undefined,
    message: () => {
      isKnownToAnswer = true;
      return undefined;
    },
    failed: () => undefined,
  };
  const wait = (ms: number, then: () => void): void => {
    setTimeout(() => child.isOver || then(), ms).unref();
  };
  const look = (): void => {
    const silentMs = performance.now() - child.heardAt;
    if (!child.isIdle || silentMs < pingIntervalMs) {
      wait(child.isIdle ? pingIntervalMs - silentMs : pingIntervalMs, look);
      return;
    }
    const sentAt = performance.now();
    const sending = child.request(era === "stateless" ? DISCOVER : PING, era, sink);
    wait(pingTimeoutMs, () => {
      if (child.heardAt < sentAt && (isKnownToAnswer || child.owesAnswer)) {
        const detail = `no answer to a ping within ${pingTimeoutMs} ms`;
        child.giveUp({ code: "unresponsive", detail }, stopGraceMs);
        return;
      }
      sending.leave();
      look();
    });
  };
  wait(pingIntervalMs, look);
}
