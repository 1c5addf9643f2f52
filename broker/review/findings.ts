/**
 * Findings of a run: what the broker noticed, and what stands out in the logs.
 * Each says who says so, since a tail that nobody witnessed can hold any event.
 */
import { titleEvent } from "../../audit/event-titles.ts";
import type { Finding } from "../../audit/manifest.ts";
import type { AuditRecord } from "../../audit/record.ts";
import type { FindingRow } from "../storage/schema.ts";
import { clipName, clipText } from "./bounded-text.ts";
import { describeEvent } from "./event-text.ts";
import type { FindingView } from "./view.ts";

const MAX_DETAIL_CHARS = 600;

export function describeRow(row: FindingRow): FindingView {
  return {
    session: row.session,
    kind: row.kind,
    title: titleEvent(row.kind),
    time: new Date(row.time).toISOString(),
    detail: clipDetail(row.detail),
    severity: "finding",
    source: "broker",
  };
}

/** Of a signed manifest. */
export function describeManifestFinding(session: string, finding: Finding): FindingView {
  const { kind, time, detail } = finding;
  return {
    session,
    kind,
    title: titleEvent(kind),
    time,
    detail: clipDetail(detail),
    severity: "finding",
    source: "broker",
  };
}

/** The events of a log that are more than information. */
export function listEvents(
  session: string,
  records: readonly AuditRecord[],
  source: "log" | "unwitnessed",
): FindingView[] {
  return records.flatMap((record) =>
    record.kind === "event" && record.severity !== "info"
      ? [
          {
            session,
            kind: clipName(record.event),
            title: titleEvent(clipName(record.event)),
            time: record.time,
            detail: clipDetail(describeEvent(record.event, record.detail) ?? listMembers(record.detail)),
            severity: record.severity,
            source,
          },
        ]
      : [],
  );
}

/** Without those that say the same, in the order of their time; what nobody witnessed comes last. */
export function arrangeFindings(findings: readonly FindingView[]): FindingView[] {
  const seen = new Map<string, FindingView>();
  for (const finding of findings) {
    const key = JSON.stringify([finding.source, finding.kind, finding.time, finding.detail]);
    seen.set(key, seen.get(key) ?? finding);
  }
  const rank = ({ source }: FindingView) => (source === "unwitnessed" ? 1 : 0);
  return [...seen.values()].sort(
    (left, right) =>
      rank(left) - rank(right) || (left.time < right.time ? -1 : left.time > right.time ? 1 : 0),
  );
}

const clipDetail = (text: string) => clipText(text, MAX_DETAIL_CHARS);

function listMembers(detail: Record<string, unknown>): string {
  return Object.entries(detail)
    .map(([name, value]) => `${name}: ${typeof value === "string" ? value : JSON.stringify(value)}`)
    .join("; ");
}
