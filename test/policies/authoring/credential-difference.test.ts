/** What a change of credentials gains and loses: wider rights are a gain, narrower ones a loss, what cannot be told a gain. */
import { describe, expect, it } from "vitest";
import { listAccess } from "../../../policies/authoring/access-list.ts";
import { comparePolicies } from "../../../policies/authoring/difference.ts";
import { type Policies, serversOf } from "../../../policies/policies.ts";
import { sessionPolicyOf } from "../../../policies/issuing.ts";
import { policiesOf, servers } from "../fixtures.ts";

const APP =
  "kind: github-app, app_id: x, permissions: { issues: read, contents: read }, repositories: [a, b]";

/** The sample with this credential at the server github. */
const withCredential = (entry: string | undefined, name = "c"): Policies =>
  policiesOf({
    servers:
      entry === undefined
        ? servers
        : `${servers.replace("    url:", `    credential: ${name}\n    url:`)}credentials:\n  ${name}: { ${entry} }\n`,
  });
const changes = (before: string | undefined, after: string | undefined, name?: string): string[] =>
  comparePolicies(withCredential(before), withCredential(after, name)).changes.map(
    (change) =>
      `${change.effect} ${change.subject} ${change.server} ${change.what}: ${change.before ?? "–"} → ${change.after ?? "–"}`,
  );

describe("a change of credentials", () => {
  it.each([
    [
      "one where there was none",
      undefined,
      "kind: bearer",
      ["gained credential github credential: – → c (bearer, shared, used at the broker)"],
    ],
    [
      "none where there was one",
      "kind: bearer, owner: robot",
      undefined,
      ["lost credential github credential: c (bearer, each robot's own, used at the broker) → –"],
    ],
    [
      "another kind",
      "kind: bearer",
      "kind: none",
      [
        "gained credential github credential: c (bearer, shared, used at the broker) → c (none, used at the broker)",
      ],
    ],
    [
      "another owner",
      "kind: bearer",
      "kind: bearer, owner: robot",
      ['gained credential github owner: – → "robot"'],
    ],
    [
      "delivery to the runner",
      APP,
      `${APP}, delivery: runner`,
      ["gained credential github delivery: broker → runner"],
    ],
    [
      "delivery at the broker",
      `${APP}, delivery: runner`,
      APP,
      ["lost credential github delivery: runner → broker"],
    ],
    [
      "a wider permission",
      APP,
      APP.replace("issues: read", "issues: write"),
      ["gained credential github permission issues: read → write"],
    ],
    [
      "a narrower one",
      APP,
      APP.replace(", contents: read", ""),
      ["lost credential github permission contents: read → none"],
    ],
    [
      "another permission",
      APP,
      APP.replace("contents", "actions"),
      [
        "gained credential github permission actions: none → read",
        "lost credential github permission contents: read → none",
      ],
    ],
    [
      "one more repository",
      APP,
      APP.replace("[a, b]", "[a, b, c]"),
      ["gained credential github repository c: none → granted"],
    ],
    [
      "one scope fewer",
      "kind: oauth, scopes: [r, w]",
      "kind: oauth, scopes: [r]",
      ["lost credential github scope w: granted → none"],
    ],
    [
      "no scopes at all, which leaves it to the server",
      "kind: oauth, scopes: [r]",
      "kind: oauth",
      ['gained credential github scopes: ["r"] → –', "lost credential github scope r: granted → none"],
    ],
    [
      "another app",
      APP,
      APP.replace("app_id: x", "app_id: y"),
      ['gained credential github app_id: "x" → "y"'],
    ],
    ["nothing", APP, APP, []],
  ])("says of %s what it is", (_, before, after, expected) => {
    expect(changes(before, after)).toEqual(expected);
  });

  it("tells another credential of the same kind from the same one", () => {
    expect(changes("kind: bearer", "kind: bearer", "other")).toEqual([
      "gained credential github credential: c (bearer, shared, used at the broker) → other (bearer, shared, used at the broker)",
    ]);
  });
});

describe("a server with a credential", () => {
  const reach = (policies: Policies) =>
    serversOf(policies, sessionPolicyOf(policies, { robot: "r", roles: ["reader"], mode: "enforce" }));

  it("is behind the relay where the credential is used at the broker", () => {
    expect(reach(withCredential("kind: bearer"))).toEqual({
      github: { transport: "relay", url: "https://mcp.example.com/mcp", credential: "c" },
    });
  });

  it("is reached by the runner where it is sent there, or where there is none", () => {
    expect(reach(withCredential(`${APP}, delivery: runner`))).toEqual({
      github: { transport: "http", url: "https://mcp.example.com/mcp", credential: "c" },
    });
    expect(reach(withCredential(undefined))).toEqual({
      github: { transport: "http", url: "https://mcp.example.com/mcp" },
    });
  });

  it("is listed with it", () => {
    expect(listAccess(withCredential(APP))[0]?.credentials).toEqual({
      github: "c (github-app, shared, used at the broker)",
    });
  });
});
