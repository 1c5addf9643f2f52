/** What docs/limits.md says is what holds. */
import { COST, MAX_UNITS } from "../../proxy/inspection/effort.ts";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { secondsOf } from "../../policies/documents/duration.ts";
import { LimitsEntry, readLimits } from "../../policies/documents/limits-fields.ts";
import { bytesOf } from "../../policies/documents/size.ts";
import { ServersDocument } from "../../policies/documents/servers-document.ts";
import { LIMIT_BOUNDS, ServerLimits } from "../../policies/server-limits.ts";
import {
  DEFAULT_LIMITS,
  type Limits,
  limitsOfServer,
  SERVER_LIMITS,
  type ServerLimitName,
} from "../../proxy/limits.ts";

const page = await readFile(join(import.meta.dirname, "../../docs/limits.md"), "utf8");

/** Without its head. */
function readTable(heading: string): string[][] {
  const section = page.split(/^## /m).find((text) => text.startsWith(`${heading}\n`)) ?? "";
  const rows = section.split("\n").filter((line) => line.startsWith("|"));
  return rows.slice(2).map((row) =>
    row
      .split("|")
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

const isTime = (name: string): boolean => name.endsWith("Ms") || name.endsWith("_seconds");

/** In the unit of a limit of that name. */
function readAmount(text: string, name: string): number {
  if (isTime(name)) {
    return secondsOf(text) * (name.endsWith("Ms") ? 1000 : 1);
  }
  return name.endsWith("ytes") ? bytesOf(text) : Number.parseInt(text, 10);
}

const WIRE_NAMES: Readonly<Record<ServerLimitName, keyof typeof LIMIT_BOUNDS>> = {
  request_size: "request_bytes",
  answer_size: "answer_bytes",
  concurrent_calls: "concurrent_calls",
  calls_per_minute: "calls_per_minute",
  call_time: "call_seconds",
  stream_idle: "stream_idle_seconds",
  sessions: "sessions",
  restarts: "restarts",
  memory: "memory_bytes",
};
const perServer = readTable("Per server");

test("every limit of a server stands on the page, with its default and its bounds", () => {
  const said = perServer.map(([name = "", preset = "", , bounds = ""]) => {
    const key = name.replaceAll("`", "");
    const [min = "", max = ""] = bounds.split(" to ");
    return { key, preset, min, max };
  });
  expect(said.map(({ key }) => key)).toEqual(Object.keys(SERVER_LIMITS));
  for (const [name, limit] of Object.entries(SERVER_LIMITS) as [ServerLimitName, keyof Limits][]) {
    const { preset, min, max } = said.find(({ key }) => key === name) ?? { preset: "", min: "", max: "" };
    const wire = WIRE_NAMES[name];
    expect([name, readAmount(preset, limit)]).toEqual([name, DEFAULT_LIMITS[limit]]);
    expect([name, readAmount(min, wire), readAmount(max, wire)]).toEqual([
      name,
      LIMIT_BOUNDS[wire].min,
      LIMIT_BOUNDS[wire].max,
    ]);
  }
});

test("a document can set what the page says, to the bounds themselves and no further", () => {
  for (const [name = "", , , bounds = ""] of perServer) {
    const key = name.replaceAll("`", "");
    const [min = "", max = ""] = bounds.split(" to ");
    for (const [text, isFine] of [
      [min, true],
      [max, true],
      [max.replace(/^\d+/, (digits) => String(Number(digits) + 1)), false],
      ["0", key === "restarts"],
      ["-1", false],
    ] as const) {
      const parsed = LimitsEntry.safeParse(parse(`{ ${key}: ${text} }`));
      expect([key, text, parsed.success]).toEqual([key, text, isFine]);
      if (parsed.success) {
        const travels = readLimits(parsed.data);
        expect(ServerLimits.safeParse(travels).success).toBe(true);
        const changed = limitsOfServer(DEFAULT_LIMITS, travels);
        const own = SERVER_LIMITS[key as ServerLimitName];
        expect(changed).toEqual({ ...DEFAULT_LIMITS, [own]: readAmount(text, own) });
      }
    }
  }
});

test("no default is beyond the bounds", () => {
  for (const [name, limit] of Object.entries(SERVER_LIMITS) as [ServerLimitName, keyof Limits][]) {
    const { min, max } = LIMIT_BOUNDS[WIRE_NAMES[name]];
    const preset = limit.endsWith("Ms") ? DEFAULT_LIMITS[limit] / 1000 : DEFAULT_LIMITS[limit];
    expect([name, preset >= min && preset <= max]).toEqual([name, true]);
  }
});

test("limits of all servers stand on the page as they are", () => {
  const said = new Map(readTable("For all of them").map(([name = "", amount = ""]) => [name, amount]));
  const expected: Readonly<Record<string, keyof Limits>> = {
    "nesting of a message": "maxDepth",
    "header fields of a request": "maxHeaderBytes",
    "members of a batch": "maxBatchLength",
    "entries of a server's list": "maxListed",
    "requests at the same time": "maxConcurrentRequests",
    "streams that stay open": "maxStreams",
    connections: "maxConnections",
    "bytes that a reader leaves unread": "maxUnreadBytes",
    "time for the head of a request": "headersTimeoutMs",
    "time for a whole request": "requestTimeoutMs",
    "time to connect to a server": "connectTimeoutMs",
    "time in which an answer can be asked for again": "resumeGraceMs",
    "time that nobody uses a session": "sessionIdleMs",
  };
  expect([...said.keys()]).toEqual(Object.keys(expected));
  for (const [name, limit] of Object.entries(expected)) {
    expect([name, readAmount(said.get(name) ?? "", limit)]).toEqual([name, DEFAULT_LIMITS[limit]]);
  }
});

test("what the page says of inspection is what is done", () => {
  const write = (count: number): string => Math.floor(count).toLocaleString("en");
  expect(page).toContain(`up to ${write(MAX_UNITS / COST.string)} strings`);
  expect(page).toContain(`up to ${write(MAX_UNITS / (COST.secretPlace + COST.change))} secrets`);
});

test("what the page says of restarts, pings and looks is what is done", () => {
  const { restartDelayMs, maxRestartDelayMs, restartWindowMs, pingIntervalMs, pingTimeoutMs, memoryCheckMs } =
    DEFAULT_LIMITS;
  expect(page).toContain(`after ${restartDelayMs} ms; then after 1, 4 and ${maxRestartDelayMs / 1000} s`);
  expect(page).toContain(`of a command, within ${restartWindowMs / 60_000} minutes`);
  expect(page).toContain(
    `silent for ${pingIntervalMs / 1000} s, and gives no sign of life within ${pingTimeoutMs / 1000} s`,
  );
  expect(page).toContain(`looked at every ${memoryCheckMs / 1000} s`);
});

test("its example loads", () => {
  const [, example = ""] = /```yaml\n([\s\S]*?)```/.exec(page) ?? [];
  expect(ServersDocument.safeParse(parse(`${example}credentials: {}\n`)).success).toBe(true);
});
