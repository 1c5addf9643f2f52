import { describe, expect, it } from "vitest";
import type { ClientMessage } from "../../../proxy/messages/envelope.ts";
import { findDisagreement } from "../../../proxy/messages/field-agreement.ts";

const meta = { _meta: { "io.modelcontextprotocol/protocolVersion": "2026-07-28" } };
const fields = (given: object): ReadonlyMap<string, string> => new Map(Object.entries(given));
const old: ClientMessage = { kind: "request", id: 1, method: "tools/call", params: { name: "echo" } };
const stateless: ClientMessage = { ...old, params: { name: "echo", ...meta } };
const all = { "mcp-protocol-version": "2026-07-28", "mcp-method": "tools/call", "mcp-name": "echo" };

describe("findDisagreement", () => {
  it("takes a stateless request whose fields say what it says", () => {
    expect(findDisagreement(fields(all), stateless)).toBeUndefined();
    expect(
      findDisagreement(fields({ ...all, "mcp-name": "=?base64?ZWNobw==?=" }), stateless),
    ).toBeUndefined();
  });

  it("takes a request of the older era with or without such fields", () => {
    expect(findDisagreement(fields({}), old)).toBeUndefined();
    expect(findDisagreement(fields({ "mcp-method": "tools/call", "mcp-name": "echo" }), old)).toBeUndefined();
    expect(findDisagreement(fields({ "mcp-protocol-version": "2025-06-18" }), old)).toBeUndefined();
  });

  it.each([
    ["Mcp-Name that differs from the body", { "mcp-name": "secret" }],
    ["Mcp-Name that differs from the body, base64-encoded", { "mcp-name": "=?base64?c2VjcmV0?=" }],
    ["Mcp-Name in another letter case", { "mcp-name": "Echo" }],
    ["Mcp-Name that is no base64", { "mcp-name": "=?base64?ZWNobw?=" }],
    ["Mcp-Method that differs from the body", { "mcp-method": "tools/list" }],
    ["Mcp-Method in another letter case", { "mcp-method": "Tools/Call" }],
  ])("refuses %s, in both eras", (_, wrong) => {
    expect(findDisagreement(fields({ ...all, ...wrong }), stateless)).toBeTypeOf("string");
    expect(findDisagreement(fields(wrong), old)).toBeTypeOf("string");
  });

  it.each(["mcp-protocol-version", "mcp-method", "mcp-name"])(
    "refuses a stateless request without %s",
    (name) => {
      expect(findDisagreement(fields(without(name)), stateless)).toContain("missing");
    },
  );

  it.each(["2025-11-25", "2026-07-29", "v1"])(
    "refuses %s in the field when the body claims another",
    (revision) => {
      const wrong = fields({ ...all, "mcp-protocol-version": revision });
      expect(findDisagreement(wrong, stateless)).toContain("not the body's 2026-07-28");
    },
  );

  it("takes a claim that is no known revision when the field says the same", () => {
    const unknown = { name: "echo", _meta: { "io.modelcontextprotocol/protocolVersion": "v999.0.0" } };
    const said = fields({ ...all, "mcp-protocol-version": "v999.0.0" });
    expect(findDisagreement(said, { ...old, params: unknown })).toBeUndefined();
  });

  it.each(["2025-11-25 ", "draft", "2026-07-28, 2025-11-25", ""])(
    "refuses %j, which is no revision",
    (revision) => {
      expect(findDisagreement(fields({ "mcp-protocol-version": revision }), old)).toBeTypeOf("string");
    },
  );

  it("leaves a notification without fields alone", () => {
    const notification: ClientMessage = {
      kind: "notification",
      method: "notifications/cancelled",
      params: meta,
    };
    expect(findDisagreement(fields({}), notification)).toBeUndefined();
  });
});

function without(name: string): object {
  return Object.fromEntries(Object.entries(all).filter(([other]) => other !== name));
}
