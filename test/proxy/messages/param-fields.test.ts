import { describe, expect, it } from "vitest";
import { buildParamFields, findParamFields } from "../../../proxy/messages/param-fields.ts";

const schema = {
  type: "object",
  properties: {
    region: { type: "string", "x-mcp-header": "Region" },
    limits: { type: "object", properties: { rows: { type: "integer", "x-mcp-header": "Rows" } } },
    tags: { type: "array", items: { type: "string", "x-mcp-header": "Tag" } },
    odd: { type: "string", "x-mcp-header": "bad name\r\n" },
  },
};
const declared = findParamFields(schema);

describe("findParamFields", () => {
  it("finds declarations on the way through properties, and no others", () => {
    expect(declared).toEqual([
      { field: "mcp-param-region", path: ["region"] },
      { field: "mcp-param-rows", path: ["limits", "rows"] },
    ]);
  });
});

describe("buildParamFields", () => {
  it("makes the fields from the arguments", () => {
    const sent = new Map([
      ["mcp-param-region", "=?base64?bcO8bmNoZW4=?="],
      ["mcp-param-rows", "42.0"],
      ["mcp-param-other", "goes nowhere"],
    ]);
    expect(buildParamFields(declared, { region: "münchen", limits: { rows: 42 } }, sent)).toEqual({
      ok: true,
      fields: new Map([
        ["mcp-param-region", "=?base64?bcO8bmNoZW4=?="],
        ["mcp-param-rows", "42"],
      ]),
    });
  });

  it("expects nothing for an argument that is null or not there", () => {
    expect(buildParamFields(declared, { region: null }, new Map())).toEqual({ ok: true, fields: new Map() });
    expect(buildParamFields(declared, undefined, new Map())).toEqual({ ok: true, fields: new Map() });
  });

  it.each([
    ["differs from the arguments", new Map([["mcp-param-region", "eu"]])],
    ["is missing", new Map()],
    ["is no base64", new Map([["mcp-param-region", "=?base64?*?="]])],
  ])("refuses an x-mcp-header value that %s", (_, sent) => {
    expect(buildParamFields(declared, { region: "us" }, sent)).toMatchObject({ ok: false });
  });

  it("does not find an argument on the prototype", () => {
    const fields = findParamFields({ properties: { constructor: { "x-mcp-header": "C" } } });
    expect(buildParamFields(fields, {}, new Map())).toEqual({ ok: true, fields: new Map() });
  });
});
