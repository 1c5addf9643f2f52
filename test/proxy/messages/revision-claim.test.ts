import { describe, expect, it } from "vitest";
import type { Json } from "../../../audit/canonical.ts";
import type { ClientMessage } from "../../../proxy/messages/envelope.ts";
import { findClaimFault } from "../../../proxy/messages/revision-claim.ts";

const VERSION = "io.modelcontextprotocol/protocolVersion";
const CAPABILITIES = "io.modelcontextprotocol/clientCapabilities";
const REVISION = "2026-07-28";

const field = (revision: string): ReadonlyMap<string, string> =>
  new Map([["mcp-protocol-version", revision]]);
const none: ReadonlyMap<string, string> = new Map();

function requestWith(meta?: { [name: string]: Json }): ClientMessage {
  return { kind: "request", id: 1, method: "tools/list", params: meta && { _meta: meta } };
}

describe("findClaimFault", () => {
  it("takes a request that names its revision and what its client can do", () => {
    const claimed = requestWith({ [VERSION]: REVISION, [CAPABILITIES]: {} });
    expect(findClaimFault(field(REVISION), claimed)).toBeUndefined();
  });

  it("takes a request of the older era, whatever else is in its _meta", () => {
    expect(findClaimFault(none, requestWith())).toBeUndefined();
    expect(findClaimFault(field("2025-11-25"), requestWith({ progressToken: 1 }))).toBeUndefined();
  });

  it.each([undefined, {}, { [CAPABILITIES]: {} }])(
    "finds fault with a stateless revision in the field alone, with %j in _meta",
    (meta) => {
      expect(findClaimFault(field(REVISION), requestWith(meta))).toContain(VERSION);
    },
  );

  it.each([7, null, {}, "", " ", "2026-07-28\n", "x".repeat(65)])(
    "finds fault with %j, which can be no revision",
    (claim) => {
      expect(findClaimFault(none, requestWith({ [VERSION]: claim, [CAPABILITIES]: {} }))).toContain(VERSION);
    },
  );

  it.each([undefined, 7, null, [], "all"])("finds fault with capabilities that are %j", (capabilities) => {
    const claimed = {
      [VERSION]: REVISION,
      ...(capabilities !== undefined && { [CAPABILITIES]: capabilities }),
    };
    expect(findClaimFault(field(REVISION), requestWith(claimed))).toContain(CAPABILITIES);
  });

  it.each(["2099-01-01", "v999.0.0"])("leaves what %s wants to the servers that know it", (revision) => {
    expect(findClaimFault(field(revision), requestWith({ [VERSION]: revision }))).toBeUndefined();
  });

  it("leaves notifications alone", () => {
    const notification = { kind: "notification", method: "notifications/progress", params: {} } as const;
    expect(findClaimFault(field(REVISION), notification)).toBeUndefined();
  });
});
