/**
 * What a bench reports, as a table for people and as one JSON object with every figure, each round's included.
 * Both are made of the same values: what the table shows can be found in the JSON.
 */
import { arch, cpus, loadavg, platform, release } from "node:os";
import type { SPREAD, Summary } from "./measurement.ts";
import { describePinning, type Pinning } from "./pinning.ts";

/** The unit of a figure that compares two others of its line. */
export const RATIO = "ratio";

export interface Figure extends Summary {
  /** The heading it stands under. */
  readonly table: string;
  /** The line of the table: the circumstances (empty where there is one only), then what was measured. */
  readonly case: string;
  readonly measure: string;
  readonly unit: string;
  /** The column: the contender, or `a / b` for a ratio. */
  readonly subject: string;
  readonly goal?: Goal;
}

export type Goal = { readonly met: boolean } & ({ readonly at_most: number } | { readonly at_least: number });

export interface Report {
  readonly bench: string;
  readonly summary: string;
  readonly machine: Machine;
  readonly pinning: Pinning;
  readonly rounds: number;
  readonly spread: typeof SPREAD;
  readonly figures: readonly Figure[];
  readonly notes: readonly string[];
}

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly system: string;
  readonly node: string;
  /** Of the minute before the bench, so that a busy machine can be told. */
  readonly load_average: number;
}

export function describeMachine(): Machine {
  const processors = cpus();
  return {
    cpu: processors[0]?.model ?? "unknown",
    cores: processors.length,
    system: `${platform()} ${release()} ${arch()}`,
    node: process.version,
    load_average: loadavg()[0] ?? Number.NaN,
  };
}

export function renderTable(report: Report): string {
  const { machine, figures } = report;
  const head = [
    `${report.bench}: ${report.summary}`,
    `${machine.cpu}, ${machine.cores} cores, ${machine.system}, Node ${machine.node}, load average before ${machine.load_average.toFixed(2)}`,
    `${describePinning(report.pinning)}; ${report.rounds} ${report.rounds === 1 ? "round" : "rounds, interleaved,"} after a warm-up`,
    `each cell: median (spread); spread = ${report.spread}; x: a ratio, taken within each round`,
  ];
  const tables = unique(figures.map(({ table }) => table)).map(
    (table) => `${table}\n${renderGrid(figures.filter((figure) => figure.table === table))}`,
  );
  const goals = figures.flatMap(describeGoal);
  return [head.join("\n"), ...tables, [...goals, ...report.notes].join("\n")].filter(Boolean).join("\n\n");
}

function renderGrid(figures: readonly Figure[]): string {
  const columns = unique(figures.map(({ subject }) => subject));
  const lines = unique(figures.map(lineOf)).map((line) => {
    const ofLine = figures.filter((figure) => lineOf(figure) === line);
    return [line, ...columns.map((column) => formatCell(ofLine.find(({ subject }) => subject === column)))];
  });
  const units = unique(figures.map(lineOf)).map(
    (line) => figures.find((figure) => lineOf(figure) === line)?.unit,
  );
  return alignColumns([
    ["", "", ...columns],
    ...lines.map(([line = "", ...cells], index) => [line, units[index] ?? "", ...cells]),
  ]);
}

const lineOf = (figure: Figure): string => [figure.case, figure.measure].filter(Boolean).join(", ");

function formatCell(figure: Figure | undefined): string {
  if (figure === undefined) return "";
  const value = `${formatNumber(figure.median)}${figure.unit === RATIO ? "x" : ""}`;
  return figure.spread === null ? value : `${value} (${Math.round(figure.spread * 100)} %)`;
}

function describeGoal({ goal, subject, case: circumstances, measure, unit, median }: Figure): string[] {
  if (goal === undefined) return [];
  const [bound, value] = "at_most" in goal ? ["at most", goal.at_most] : ["at least", goal.at_least];
  const [wanted, is] = [value, median].map((each) =>
    `${formatNumber(each)} ${unit === RATIO ? "times" : unit}`.trimEnd(),
  );
  const what = [subject, circumstances, measure].filter(Boolean).join(", ");
  return [`goal: ${what}: ${bound} ${wanted}; it is ${is}: ${goal.met ? "met" : "NOT MET"}`];
}

/** Three significant digits, whole numbers from a hundred on. */
export function formatNumber(value: number): string {
  if (Math.abs(value) < 99.95) return value.toPrecision(3);
  return String(Math.round(value)).replaceAll(/\B(?=(\d{3})+$)/g, ",");
}

function alignColumns(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  return rows
    .map((row) =>
      row
        .map((cell, column) =>
          column < 2 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
        )
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

const unique = (values: readonly string[]): string[] => [...new Set(values)];
