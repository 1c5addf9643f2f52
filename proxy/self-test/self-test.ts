/**
 * The reachability self-test: before any agent knows of the proxy, it is asked through its own front door for what it
 * must not give. Behind the door stand gates of the session's own policy, before stand-ins that have whatever they are
 * asked for: what is refused is refused by the proxy, and no server hears of it or has to be there.
 */
import { randomBytes } from "node:crypto";
import type { SessionGrant } from "../../policies/session-policy.ts";
import { refuseUnknown } from "../messages/refusals.ts";
import type { RunningProxy } from "../proxy.ts";
import { type Knock, Knocker } from "./knocker.ts";
import { StandIn } from "./stand-in.ts";

/** What must hold, by the name that stands in the log. */
const WALLS = {
  wrong_token: "a wrong token must be turned away",
  no_token: "a request without a token must be turned away",
  token_in_query: "a token in the query must not count",
  wrong_host: "a foreign Host must be turned away",
  foreign_origin: "a foreign Origin must be turned away",
  agent_on_control: "an agent's token must not open the control endpoint",
  ungranted_absent: "a tool that no grant names must be on no list",
  ungranted_uncallable: "a tool that no grant names must not be callable",
} as const;
export type Wall = keyof typeof WALLS;

export type WallCheck = {
  readonly check: Wall;
  readonly server?: string;
  /** `not_applicable`: a grant names everything that the server could have. */
  readonly verdict: "passed" | "failed" | "not_applicable";
};

export interface SelfTestOptions {
  readonly proxy: Pick<RunningProxy, "url" | "openProbe">;
  /** In source: what a broken policy would say of itself proves nothing. */
  readonly grants: readonly SessionGrant[];
  /** Of the agents: none of them may open the control endpoint. */
  readonly tokens: readonly string[];
}

const PING = { jsonrpc: "2.0", id: 1, method: "ping" };
const LIST = { jsonrpc: "2.0", id: 1, method: "tools/list" };

/** Whatever surprises it counts as a wall that does not hold. */
export async function testWalls({ proxy, grants, tokens }: SelfTestOptions): Promise<WallCheck[]> {
  const mark = createName();
  const token = createName();
  const standIns = new Map<string, StandIn>();
  const end = proxy.openProbe({
    ...{ mark, token },
    connect: (server) => {
      const standIn = new StandIn(findUngranted(server, grants));
      standIns.set(server, standIn);
      return standIn;
    },
  });
  const knocker = new Knocker(proxy.url, mark);
  try {
    return await Promise.all([
      ...testDoor({ knocker, token, tokens, server: [...standIns.keys()][0] }),
      ...[...standIns].flatMap(([server, standIn]) => testServer({ knocker, token, server, standIn })),
    ]);
  } finally {
    knocker.leave();
    await end();
  }
}

/** One sentence for the first that failed; nothing where none did. */
export function describeFailure(checks: readonly WallCheck[]): string | undefined {
  const failed = checks.find(({ verdict }) => verdict === "failed");
  if (failed === undefined) {
    return undefined;
  }
  const where = failed.server === undefined ? "" : ` (server "${failed.server}")`;
  return `The proxy found a hole in its own walls and does not start: ${WALLS[failed.check]}, and that is not so. Failed check: ${failed.check}${where}.`;
}

interface Probing {
  readonly knocker: Knocker;
  readonly token: string;
}

function testDoor({
  knocker,
  token,
  tokens,
  server = "none",
}: Probing & {
  readonly tokens: readonly string[];
  readonly server: string | undefined;
}): Promise<WallCheck>[] {
  const path = `/mcp/${server}`;
  const turnsAway = async (status: number, knock: Omit<Knock, "body">): Promise<boolean> => {
    const heard = await knocker.knock({ ...knock, ...(knock.method !== "GET" && { body: PING }) });
    return heard.status === status;
  };
  const opensControl = (each: string): Promise<boolean> =>
    turnsAway(401, { path: "/control/report", token: each, method: "GET" });
  const inQuery = `${path}?access_token=${token}&token=${token}`;
  return [
    check({ check: "wrong_token" }, () => turnsAway(401, { path, token: createName() })),
    check({ check: "no_token" }, () => turnsAway(401, { path })),
    check({ check: "token_in_query" }, () => turnsAway(401, { path: inQuery })),
    check({ check: "wrong_host" }, () =>
      turnsAway(403, { path, token, headers: { host: "lanyard.example" } }),
    ),
    check({ check: "foreign_origin" }, () =>
      turnsAway(403, { path, token, headers: { origin: "https://lanyard.example" } }),
    ),
    check({ check: "agent_on_control" }, async () =>
      (await Promise.all([token, ...tokens].map(opensControl))).every((isTurnedAway) => isTurnedAway),
    ),
  ];
}

interface ServerProbing extends Probing {
  readonly server: string;
  readonly standIn: StandIn;
}

function testServer({ knocker, token, server, standIn }: ServerProbing): Promise<WallCheck>[] {
  const path = `/mcp/${server}`;
  const { tool } = standIn;
  if (tool === undefined) {
    const names = ["ungranted_absent", "ungranted_uncallable"] as const;
    return names.map((name) => Promise.resolve({ check: name, server, verdict: "not_applicable" }));
  }
  const call = { jsonrpc: "2.0", id: 1, method: "tools/call", params: { name: tool, arguments: {} } };
  const refusal = refuseUnknown({ id: 1, era: "handshake", kind: "tool" }, tool);
  return [
    // It came in, and was answered: what was turned away at the door would prove nothing.
    check({ check: "ungranted_absent", server }, async () => {
      const { status, text } = await knocker.knock({ path, token, body: LIST });
      return status === 200 && !text.includes(tool);
    }),
    check({ check: "ungranted_uncallable", server }, async () => {
      const { status, text } = await knocker.knock({ path, token, body: call });
      return status === refusal.status && text === refusal.text && !standIn.asked.includes("tools/call");
    }),
  ];
}

async function check(which: Omit<WallCheck, "verdict">, holds: () => Promise<boolean>): Promise<WallCheck> {
  const isHolding = await holds().catch(() => false);
  return { ...which, verdict: isHolding ? "passed" : "failed" };
}

/** Of 128 bits. */
function createName(): string {
  return randomBytes(16).toString("hex");
}

/** Where a prefix of a grant has the first, the next. */
const BEGINNINGS = ["", ..."_-ABCDEFGHIJKLMNOPQRSTUVWXYZghijklmnopqrstuvwxyz"];

/** Undefined where grants name everything, or so many beginnings that it comes to the same. */
function findUngranted(server: string, grants: readonly SessionGrant[]): string | undefined {
  const names = BEGINNINGS.map((beginning) => beginning + createName());
  return names.find((name) => !isNamed(name, server, grants));
}

function isNamed(name: string, server: string, grants: readonly SessionGrant[]): boolean {
  return grants.some(
    (grant) =>
      grant.server === server &&
      (grant.tools ?? []).some((tool) =>
        tool.endsWith("*") ? name.startsWith(tool.slice(0, -1)) : name === tool,
      ),
  );
}
