import { describe, expect, it } from "vitest";
import { type EnvelopeReading, parseClientMessage } from "../../../proxy/messages/envelope.ts";

const parse = (members: object): EnvelopeReading => parseClientMessage({ jsonrpc: "2.0", ...members });
const faultOf = (members: object): string | undefined => {
  const reading = parse(members);
  return reading.ok ? undefined : reading.fault;
};
const callWith = (params: object): object => ({ id: 1, method: "tools/call", params });

describe("parseClientMessage", () => {
  it("tells requests, notifications and responses apart", () => {
    expect(parse({ id: 0, method: "ping" })).toMatchObject({ message: { kind: "request", id: 0 } });
    expect(parse({ method: "notifications/initialized" })).toMatchObject({
      message: { kind: "notification" },
    });
    expect(parse({ id: "x", result: {} })).toMatchObject({ message: { kind: "response", id: "x" } });
  });

  it.each([
    ["a batch", []],
    ["a text", "x"],
    ["no version", { id: 1, method: "ping" }],
    ["another version", { jsonrpc: "1.0", id: 1, method: "ping" }],
  ])("refuses %s", (_, value) => {
    expect(parseClientMessage(value)).toEqual({ ok: false, fault: "not_a_message" });
  });

  it.each([
    [{ id: null, method: "ping" }, "bad_id"],
    [{ id: 1.5, method: "ping" }, "bad_id"],
    [{ id: {}, method: "ping" }, "bad_id"],
    [{ id: "x".repeat(257), method: "ping" }, "bad_id"],
    [{ id: 1, method: 7 }, "bad_method"],
    [{ id: 1, method: "tools/call\n" }, "bad_method"],
    [{ id: 1, method: "tools/саll" }, "bad_method"],
    [{ id: 1, method: "ping", params: [] }, "bad_params"],
    [callWith({ name: "x", _meta: "m" }), "bad_params"],
    [{ id: 1 }, "not_a_message"],
    [{ id: 1, result: {}, error: {} }, "not_a_message"],
    [{ id: 1, method: "ping", result: {} }, "unknown_member"],
    [{ id: 1, method: "ping", Method: "tools/call" }, "unknown_member"],
    [{ id: 1, method: "ping", PARAMS: {} }, "unknown_member"],
    [{ id: 1, ID: 2, result: {} }, "unknown_member"],
  ])("refuses %j as %s", (members, fault) => {
    expect(faultOf(members)).toBe(fault);
  });

  it.each([
    ["Name", { Name: "echo" }],
    ["ARGUMENTS", { name: "x", ARGUMENTS: {} }],
    ["Uri", { Uri: "file:///" }],
    ["a long s", { name: "x", "argument\u017f": {} }],
    ["_Meta", { name: "x", _Meta: {} }],
    ["a reserved name of _meta", { _meta: { "IO.modelcontextprotocol/protocolVersion": "2026-07-28" } }],
    ["a Kelvin sign", { name: "x", "ta\u017f\u212a": {} }],
  ])("refuses a case variant of a name that decides: %s", (_, params) => {
    expect(faultOf(callWith(params))).toBe("case_variant");
  });

  it.each([
    ["of the call", { path: "/ok", Path: "/etc" }],
    ["within an argument", { file: { path: "docs/a", Path: "/etc" } }],
    ["within a list", { files: [[{ path: "docs/a" }, { path: "docs/b", PATH: "/etc" }]] }],
  ])("refuses two members that differ by letter case alone: %s", (_, args) => {
    expect(faultOf(callWith({ name: "x", arguments: args }))).toBe("case_variant");
  });

  it("takes members that differ by letter case in different objects", () => {
    expect(faultOf(callWith({ name: "x", arguments: { a: { path: 1 }, b: [{ Path: 2 }] } }))).toBeUndefined();
  });

  it.each(["echo\u0000", "\u0000", "a\nb", "a\u007f", "", "x".repeat(513)])("refuses the name %j", (name) => {
    expect(faultOf(callWith({ name }))).toBe("bad_name");
  });

  it("leaves names that only look alike to the policy, which knows none of them", () => {
    expect(faultOf(callWith({ name: "еcho" }))).toBeUndefined();
    expect(faultOf(callWith({ name: "ec\u200bho" }))).toBeUndefined();
  });
});
