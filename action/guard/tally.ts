/**
 * The tally of a log: who called what, how often, and what was decided. Never arguments or results.
 * Names that only an agent made up are not kept: the tally is shown where everybody can read it.
 */
import * as z from "zod/mini";
import { type AuditRecord, type RecordOf, Totals } from "../../audit/record.ts";
import { describeAsk } from "../../proxy/messages/asks.ts";

const count = z.int().check(z.nonnegative());

const TallyRow = z.strictObject({
  agent: z.string(),
  server: z.string(),
  /**
   * A tool or prompt that the server has or a rule names, a resource that the server lists, or a method; null: a name
   * that nobody but the agent knows.
   */
  tool: z.nullable(z.string()),
  /** Who asked whom for what, in words, where it is no call of an agent's. */
  ask: z.optional(z.string()),
  decision: z.enum(["allow", "deny"]),
  /** The rule, or the reason where no rule names it. */
  why: z.string(),
  calls: count,
  /** Allowed calls that ended in an error. */
  failed: count,
});
type TallyRow = z.infer<typeof TallyRow>;

export const TallyReport = z.strictObject({
  rows: z.array(TallyRow),
  /** Calls of rows that found no place any more. */
  more_calls: count,
  totals: Totals,
  /** Events that a reader should see, with how often they happened. */
  events: z.array(
    z.strictObject({ event: z.string(), severity: z.enum(["warning", "finding"]), times: count }),
  ),
});
export type TallyReport = z.infer<typeof TallyReport>;

/** More than a person reads; what comes after is counted. */
const MAX_ROWS = 500;

export interface Tally {
  add(record: AuditRecord): void;
  report(): TallyReport;
}

function kindOf({ tool, prompt }: RecordOf<"call">): string {
  return tool !== undefined ? "tools" : prompt !== undefined ? "prompts" : "resources";
}

function nameKey(server: string, kind: string, name: string): string {
  return JSON.stringify([server, kind, name]);
}

function listNames({ server, tools, prompts, resources, resource_templates }: RecordOf<"catalog">): string[] {
  const lists = { tools, prompts, resources: [...(resources ?? []), ...(resource_templates ?? [])] };
  return Object.entries(lists).flatMap(([kind, entries = []]) =>
    entries.map(({ name }) => nameKey(server, kind, name)),
  );
}

export function createTally(): Tally {
  const rows = new Map<string, TallyRow>();
  const open = new Map<string, TallyRow | undefined>();
  const known = new Set<string>();
  const events = new Map<string, TallyReport["events"][number]>();
  const totals = { calls: 0, allowed: 0, denied: 0, failed: 0 };
  let moreCalls = 0;

  const addCall = (call: RecordOf<"call">): void => {
    totals.calls += 1;
    totals[call.decision === "allow" ? "allowed" : "denied"] += 1;
    const row = findRow(call);
    if (row === undefined) moreCalls += 1;
    else row.calls += 1;
    if (call.decision === "allow") open.set(call.id, row);
  };
  const findRow = (call: RecordOf<"call">): TallyRow | undefined => {
    const { agent, server, decision } = call;
    const tool = nameOf(call);
    const why = call.rule ?? call.reason;
    const ask = describeAsk(call);
    const key = JSON.stringify([agent, server, tool, ask ?? null, decision, why]);
    const present = rows.get(key);
    if (present !== undefined || rows.size >= MAX_ROWS) return present;
    const row = { agent, server, tool, ...(ask && { ask }), decision, why, calls: 0, failed: 0 };
    rows.set(key, row);
    return row;
  };
  const nameOf = (call: RecordOf<"call">): string | null => {
    const { server, method, tool, resource, prompt } = call;
    const name = tool ?? resource ?? prompt;
    const isRuled = call.rule !== undefined && resource === undefined;
    if (name !== undefined && (isRuled || known.has(nameKey(server, kindOf(call), name)))) return name;
    // Under a prefix that a rule grants, a URI says as much as arguments do.
    return call.decision === "allow" || (name !== undefined && call.rule !== undefined) ? method : null;
  };
  const addResult = (result: RecordOf<"result">): void => {
    const failed = result.outcome !== "ok";
    const row = open.get(result.call);
    if (failed && open.has(result.call)) totals.failed += 1;
    if (failed && row !== undefined) row.failed += 1;
    open.delete(result.call);
  };
  const addEvent = ({ event, severity }: RecordOf<"event">): void => {
    if (severity === "info") return;
    const seen = events.get(event);
    if (seen !== undefined) seen.times += 1;
    else if (events.size < MAX_ROWS) events.set(event, { event, severity, times: 1 });
  };
  return {
    add: (record) => {
      if (record.kind === "call") addCall(record);
      else if (record.kind === "result") addResult(record);
      else if (record.kind === "event") addEvent(record);
      else if (record.kind === "catalog") {
        for (const key of listNames(record)) known.add(key);
      }
    },
    report: () => ({
      rows: [...rows.values()].map((row) => ({ ...row })),
      more_calls: moreCalls,
      totals: { ...totals },
      events: [...events.values()].map((event) => ({ ...event })),
    }),
  };
}
