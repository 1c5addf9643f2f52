/**
 * The job summary: servers, tools, decisions, rules and counts. Never arguments or results: in a public repository
 * everybody reads it. Every text from outside is shown as text, whatever Markdown or HTML it holds.
 */
import { titleEvent } from "../../audit/event-titles.ts";
import type { SessionReport } from "../guard/session-report.ts";
import type { LogOutcome } from "./verdict.ts";

export interface SummaryFacts {
  readonly report: Omit<SessionReport, "log">;
  readonly outcome: LogOutcome;
}

/** The runner drops a summary of more than 1 MiB; rows are bounded so that it cannot come to that. */
const MAX_ROWS = 100;
const MAX_TEXT_LENGTH = 200;

export function renderSummary({ report, outcome }: SummaryFacts): string {
  const { facts, tally, reviewUrl } = report;
  const { totals } = tally;
  const counts = `${totals.calls} calls: ${totals.allowed} allowed, ${totals.denied} denied, ${totals.failed} failed`;
  const lines = [
    `### Lanyard: ${code(facts.robot)}`,
    "",
    `${describeOutcome(outcome)} ${counts}.${renderLink(reviewUrl)}`,
    "",
    `Roles: ${codes(facts.roles)}. Servers: ${codes(facts.servers)}. Agents: ${codes(facts.agents)}.`,
    ...renderCalls(tally, facts.agents.length > 1),
    ...renderEvents(tally),
  ];
  return `${lines.join("\n")}\n`;
}

/** Where nothing is known but that the log is not complete. */
export function renderBareSummary(outcome: LogOutcome): string {
  return `### Lanyard\n\n${describeOutcome(outcome)}\n`;
}

function describeOutcome(outcome: LogOutcome): string {
  switch (outcome.status) {
    case "sealed":
      return outcome.early
        ? "**The log is complete and sealed**, but the proxy was ended before the job was."
        : "**The log is complete and sealed.**";
    case "recovered":
      return `**The log is incomplete:** ${text(outcome.reason)}. ${outcome.records} records were recovered; nobody witnessed them.`;
    case "lost":
      return `**The log is incomplete:** ${text(outcome.reason)}.`;
  }
}

function renderCalls(tally: SessionReport["tally"], withAgents: boolean): string[] {
  if (tally.rows.length === 0) return [];
  const columns = [
    ...(withAgents ? ["Agent"] : []),
    "Server",
    "Tool",
    "Decision",
    "Rule or reason",
    "Calls",
    "Failed",
  ];
  // What was denied is what a reader looks for.
  const rows = tally.rows.toSorted((a, b) => Number(b.decision === "deny") - Number(a.decision === "deny"));
  const shown = rows
    .slice(0, MAX_ROWS)
    .map((row) => [
      ...(withAgents ? [code(row.agent)] : []),
      code(row.server),
      renderNamed(row),
      row.decision === "deny" ? "<b>denied</b>" : "allowed",
      code(row.why),
      String(row.calls),
      row.failed === 0 ? "" : String(row.failed),
    ]);
  const hidden = rows.slice(MAX_ROWS).reduce((sum, row) => sum + row.calls, tally.more_calls);
  return [
    "",
    renderRow(columns),
    renderRow(columns.map(() => "---")),
    ...shown.map(renderRow),
    ...(hidden === 0 ? [] : ["", `${hidden} more calls are on the review page.`]),
  ];
}

/** What is said in words stands apart from what is called so: a tool can have any name. */
function renderNamed({ tool, ask }: SessionReport["tally"]["rows"][number]): string {
  if (ask !== undefined) return `<i>${text(ask)}</i>`;
  return tool === null ? "<i>a name that is not known</i>" : code(tool);
}

function renderEvents(tally: SessionReport["tally"]): string[] {
  if (tally.events.length === 0) return [];
  const items = tally.events
    .slice(0, MAX_ROWS)
    .map(
      ({ event, severity, times }) =>
        `- ${severity}: ${text(titleEvent(event))} (${code(event)}${times === 1 ? "" : `, ${times} times`})`,
    );
  return ["", "Worth a look:", "", ...items];
}

function renderRow(cells: readonly string[]): string {
  return `| ${cells.join(" | ")} |`;
}

function renderLink(url: string): string {
  const isLink = URL.canParse(url) && /^https?:$/.test(new URL(url).protocol);
  return isLink ? ` <a href="${escapeHtml(new URL(url).href)}">Review this run</a>` : "";
}

function codes(values: readonly string[]): string {
  return values.length === 0 ? "none" : values.slice(0, MAX_ROWS).map(code).join(", ");
}

function code(value: string): string {
  return `<code>${text(value)}</code>`;
}

/** One line of bounded length, without control, formatting or bidirectional characters, and without Markdown. */
function text(value: string): string {
  const visible = value.replaceAll(/[\p{C}\p{Zl}\p{Zp}]+/gu, " ");
  const cut = visible.length > MAX_TEXT_LENGTH ? `${visible.slice(0, MAX_TEXT_LENGTH)}…` : visible;
  return escapeHtml(cut.toWellFormed());
}

function escapeHtml(value: string): string {
  return value.replaceAll(/[&<>"'`|*_[\]\\~#:@]/g, (mark) => `&#${mark.charCodeAt(0)};`);
}
