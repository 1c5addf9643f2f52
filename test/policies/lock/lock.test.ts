import fc from "../../support/properties.ts";
import { describe, expect, it } from "vitest";
import { digestDefinition, digestInstructions } from "../../../policies/lock/definition.ts";
import { digestLock, type Lock, readLock } from "../../../policies/lock/lock.ts";
import { lockServers, renderLock, type SentServer } from "../../../policies/lock/lock-text.ts";
import { renderProblem } from "../fixtures.ts";

const getIssue = {
  name: "get_issue",
  title: "Get an issue",
  description: "Reads one issue.\n\nIt may be closed.",
  inputSchema: { type: "object", properties: { number: { type: "integer" } }, required: ["number"] },
  annotations: { readOnlyHint: true },
};
const sent = new Map<string, SentServer>([
  ["memory", { tools: [] }],
  ["github", { instructions: "Be brief.", tools: [{ ...getIssue, _meta: { x: 1 } }] }],
]);
const text = renderLock(lockServers(sent).lock);

const readText = (changed: string): Lock => {
  const read = readLock({ path: "lanyard.lock", text: changed });
  if (!read.ok) throw new Error(read.problems.map(renderProblem).join("\n"));
  return read.document.value;
};

describe("a lock", () => {
  it("is written so that a reviewer reads what an agent would read", () => {
    expect(
      text,
    ).toBe(`# The tools of each server as they were when somebody reviewed them. Written by \`lanyard policy lock\`:
# change nothing by hand. A tool that differs, or is not here, does not exist for agents.
version: 1
servers:
  github:
    instructions: |-
      Be brief.
    tools:
      get_issue:
        digest: "${digestDefinition(getIssue)}"
        title: |-
          Get an issue
        description: |-
          Reads one issue.

          It may be closed.
        input_schema: |-
          {
            "type": "object",
            "properties": {
              "number": {
                "type": "integer"
              }
            },
            "required": [
              "number"
            ]
          }
        annotations: |-
          {
            "readOnlyHint": true
          }
  memory:
    tools: {}
`);
  });

  it("is read as what the servers sent, without what is no part of a definition", () => {
    const lock = readText(text);
    expect(lock.servers.get("github")?.tools.get("get_issue")?.definition).toEqual(getIssue);
    expect(digestLock(lock)).toEqual(
      new Map([
        [
          "github",
          { instructions: digestInstructions("Be brief."), tools: { get_issue: digestDefinition(getIssue) } },
        ],
        ["memory", { tools: {} }],
      ]),
    );
  });

  it("does not depend on the order in which servers and tools were asked", () => {
    const other = { ...getIssue, name: "add_comment" };
    const one = new Map([
      ["b", { tools: [getIssue, other] }],
      ["a", { tools: [] }],
    ]);
    const two = new Map([
      ["a", { tools: [] }],
      ["b", { tools: [other, getIssue] }],
    ]);
    expect(renderLock(lockServers(one).lock)).toBe(renderLock(lockServers(two).lock));
  });

  it("of no servers is read too", () => {
    expect(readText(renderLock({ servers: new Map() })).servers.size).toBe(0);
  });

  it("shows what hides: a description with invisible instructions stands there as escapes", () => {
    const evil = {
      ...getIssue,
      description: "Reads.\u200b\u{e0041}\u202e\u001b[2J",
      inputSchema: { "a\u2060": "\u200d" },
    };
    const written = renderLock(lockServers(new Map([["x", { tools: [evil] }]])).lock);
    expect(written).toContain('description: "Reads.\\u200b\\udb40\\udc41\\u202e\\u001b[2J"');
    expect(written).toContain('"a\\u2060": "\\u200d"');
    expect(readText(written).servers.get("x")?.tools.get("get_issue")?.definition).toEqual(evil);
  });

  it("gives every definition back as it was, and its text has nothing that hides", () => {
    const piece = fc.oneof(
      fc.constantFrom(
        "\n",
        " ",
        "\t",
        "\r",
        '"',
        "\\",
        "#",
        ": ",
        "- ",
        "|",
        "'",
        "\u200b",
        "\u202e",
        "\u{e0041}",
        "\u0085",
        "\u2028",
        "é",
        "😀",
        "\ufe0f",
        "\u{13430}",
        "\u{fffe}",
        "null",
        "1e5",
        "---",
        "...",
        "%",
        "\u0000",
      ),
      fc.string({ unit: "binary", maxLength: 3 }),
    );
    const prose = fc
      .array(piece, { maxLength: 12 })
      .map((pieces) => pieces.join(""))
      .filter((each) => each.isWellFormed());
    const json = fc.dictionary(
      prose.filter((key) => key !== "__proto__"),
      fc.oneof(
        prose,
        fc.integer(),
        fc.double({ noNaN: true, noDefaultInfinity: true }),
        fc.boolean(),
        fc.constant(null),
        fc.array(prose, { maxLength: 3 }),
      ),
      { maxKeys: 4 },
    );
    const name = fc.oneof(
      fc.stringMatching(/^[a-z_./-]{1,12}$/),
      fc.constantFrom("true", "1", "1e5", "null", "a\u200bb", '"', "\\", "#x", "é", "constructor"),
    );
    const tool = fc.record(
      { name, title: prose, description: prose, inputSchema: json, outputSchema: json, annotations: json },
      { requiredKeys: ["name"] },
    );
    fc.assert(
      fc.property(prose, tool, (instructions, definition) => {
        // As it comes off the wire: -0 is 0 there.
        const plain = JSON.parse(JSON.stringify(definition)) as typeof definition;
        const { lock, refused } = lockServers(new Map([["x", { instructions, tools: [plain] }]]));
        expect(refused).toEqual([]);
        const written = renderLock(lock);
        expect(written).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e]/);
        const read = readText(written);
        expect(read.servers.get("x")?.instructions).toBe(instructions);
        expect([...(read.servers.get("x")?.tools.values() ?? [])]).toEqual([
          { digest: digestDefinition(plain), definition: plain },
        ]);
      }),
      { numRuns: 300 },
    );
  });

  it("leaves out what nobody can review, and says why", () => {
    let deep: unknown = "x";
    for (let level = 0; level < 70; level++) {
      deep = [deep];
    }
    const servers = new Map([
      [
        "x",
        {
          tools: [
            { name: "twice", description: "one" },
            { name: "twice", description: "two" },
            { name: "told", description: 7 },
            { name: "with space" },
            { title: "nameless" },
            { name: "deep", inputSchema: { deep } },
            { name: "half", description: "\ud800" },
            { name: "__proto__" },
            { name: "written", description: "\\ud800 is half a character" },
          ],
        },
      ],
    ]);
    const { lock, refused } = lockServers(servers);
    expect([...(lock.servers.get("x")?.tools.keys() ?? [])]).toEqual(["written"]);
    expect(refused.map(({ tool, reason }) => `${tool}: ${reason}`)).toEqual([
      "twice: the server has two tools of this name",
      "twice: the server has two tools of this name",
      "told: its description is not what MCP allows",
      "with space: its name is not what MCP allows",
      "number 5: its name is not what MCP allows",
      "deep: it is nested deeper than 64 levels",
      "half: it holds what a document cannot say: half a character, or the name __proto__",
      "__proto__: it holds what a document cannot say: half a character, or the name __proto__",
    ]);
    expect(readText(renderLock(lock)).servers.get("x")?.tools.size).toBe(1);
  });
});

describe("a definition's digest", () => {
  it("is over what a person reviews, in canonical form: the order of members and what is beside them do not count", () => {
    const reordered = Object.fromEntries(Object.entries(getIssue).reverse());
    expect(digestDefinition({ ...reordered, icons: [], _meta: {} })).toBe(digestDefinition(getIssue));
    expect(digestDefinition({ name: "a" })).toBe(
      "d9d719b27480b55cd4918020e7473e716ed3569c8adafe926cf9b10b4f8ef064",
    );
  });

  it.each(["name", "title", "description", "inputSchema", "outputSchema", "annotations"])(
    "changes with %s",
    (member) => {
      expect(digestDefinition({ ...getIssue, [member]: "x" })).not.toBe(digestDefinition(getIssue));
    },
  );
});
