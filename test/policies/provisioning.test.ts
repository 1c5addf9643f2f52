import { describe, expect, it } from "vitest";
import { type ProvisionRequest, provisionRobot } from "../../policies/provisioning.ts";
import { issuer, problemsOf, robots } from "./fixtures.ts";

const request: ProvisionRequest = {
  issuer,
  repository: "acme/payments",
  repositoryId: "456789",
  repositoryOwnerId: "123456",
  name: "helper",
  bindings: [
    {
      workflow: ".github/workflows/help.yml",
      events: ["schedule", "workflow_dispatch"],
      ref: "refs/heads/main",
      roles: ["reader"],
    },
  ],
};

const textOf = (changes: Partial<ProvisionRequest>): string => {
  const result = provisionRobot({ ...request, ...changes });
  return result.ok ? result.text : `${result.code}: ${result.message}`;
};

describe("provisioning a robot", () => {
  it("writes the document of a repository that has none", () => {
    expect(provisionRobot(request)).toEqual({
      ok: true,
      path: "robots/acme/payments.yaml",
      text: `# The robots of one repository. Names are for people: the ids decide.

issuer: ${issuer}
repository: acme/payments
repository_id: "456789"
repository_owner_id: "123456"
robots:
  helper:
    bindings:
      - workflow: .github/workflows/help.yml
        events: [schedule, workflow_dispatch]
        ref: refs/heads/main
        roles: [reader]
`,
    });
  });

  it("writes what loads", () => {
    expect(problemsOf({ robots: textOf({}) })).toEqual([]);
    expect(problemsOf({ robots: textOf({ existing: robots }) })).toEqual([]);
  });

  const added = `  helper:
    bindings:
      - workflow: .github/workflows/help.yml
        events: [schedule, workflow_dispatch]
        ref: refs/heads/main
        roles: [reader]
`;

  it.each([
    [
      "with comments and its own style",
      robots.replace("robots:\n", "robots:\n  # new issues\n").replace("agents\n", "'agents'   # asks Ada\n"),
      "",
    ],
    ["whose last line has a comment", robots.replace("max: 2h }", "max: 2h } # enough"), ""],
    ["with windows line ends", robots.replaceAll("\n", "\r\n"), ""],
    [
      "with keys after the robots",
      robots.slice(robots.indexOf("robots:")),
      robots.slice(0, robots.indexOf("robots:")),
    ],
  ])("adds to a document %s, and changes no byte of it", (_, before, after) => {
    const text = textOf({ existing: before + after });
    expect(text).toBe(before + added + after);
    expect(problemsOf({ robots: text })).toEqual([]);
  });

  it("adds to a document that does not end its last line, or ends in comments", () => {
    expect(textOf({ existing: robots.trimEnd() })).toBe(robots + added);
    const commented = textOf({ existing: `${robots}\n# the end\n` });
    expect(commented.replace(added, "")).toBe(`${robots}\n# the end\n`);
    expect(problemsOf({ robots: commented })).toEqual([]);
  });

  it("adds to a document with deeper margins, or on one line", () => {
    const deep =
      robots.slice(0, robots.indexOf("robots:")) +
      robots.slice(robots.indexOf("robots:")).replace(/^ /gm, "    ");
    const flow = `${robots.slice(0, robots.indexOf("robots:"))}robots: { triager: { bindings: [{ workflow: .github/workflows/a.yml, events: [push], ref: refs/heads/main, roles: [reader] }] } }\n`;
    for (const existing of [deep, flow]) {
      const text = textOf({ existing });
      expect(problemsOf({ robots: text })).toEqual([]);
      expect(text).toContain("helper:");
    }
  });

  it("writes a session where one is asked for", () => {
    expect(textOf({ session: { ttl: "5m" } })).toContain("    session:\n      ttl: 5m\n");
  });

  it("writes values that YAML would read as something else in quotes", () => {
    const [binding] = request.bindings;
    const text = textOf({ bindings: binding ? [{ ...binding, environment: "1e3" }] : [] });
    expect(text).toContain('environment: "1e3"');
    expect(problemsOf({ robots: text })).toEqual([]);
  });

  it.each([
    [
      "a robot that exists",
      { existing: robots, name: "triager" },
      "robot_exists: acme/payments/triager exists in robots/acme/payments.yaml",
    ],
    [
      "another id of the repository",
      { existing: robots, repositoryId: "1" },
      "identity_differs: robots/acme/payments.yaml says repository_id: 456789, you say 1",
    ],
    ["another issuer", { existing: robots, issuer: "https://x.example.com" }, "identity_differs"],
    ["a document with problems", { existing: robots.replace("schedule", "SCHEDULE") }, "document_invalid"],
    ["a document that is no YAML", { existing: "robots: [" }, "document_invalid"],
    ["a name that is none", { name: "../x" }, "request_invalid"],
    ["the name __proto__", { name: "__proto__" }, "request_invalid"],
    ["the name constructor", { name: "constructor" }, "request_invalid"],
    [
      "a repository that climbs",
      { repository: "../../etc/passwd" },
      'request_invalid: "../../etc/passwd" is no repository',
    ],
    ["a repository that is the parent", { repository: "acme/.." }, "request_invalid"],
    ["an id with YAML in it", { repositoryId: '1"\nrobots: {}' }, "request_invalid"],
    ["no binding", { bindings: [] }, "request_invalid"],
  ])("refuses %s", (_, changes, message) => {
    expect(textOf(changes)).toContain(message);
  });
});
