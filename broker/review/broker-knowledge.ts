/**
 * What the broker knows of a log without reading it: which segments it countersigned, whom it gave the session,
 * how it ended. Whoever can write to the bucket, but not to the broker's database, is noticed here.
 */
import { parseSegmentObject, segmentObject } from "../../audit/object-path.ts";
import type { Verdict } from "../../audit/verification/verdict.ts";
import type { SegmentRow, SessionRow } from "../storage/schema.ts";
import { workloadOf } from "../sessions/session-row.ts";
import type { ProblemView } from "./integrity-view.ts";

export interface BrokerKnowledge {
  readonly session: SessionRow;
  /** Digests of what the session was allowed, at whatever time of its life. */
  readonly policies: readonly string[];
  readonly segments: readonly SegmentRow[];
  readonly verdict: Verdict;
  /** Every object of the session in the bucket. */
  readonly names: readonly string[];
  /** SHA-256 of the objects that were read. */
  readonly digests: ReadonlyMap<string, string>;
}

/** Everything that makes the log a broken one: what verification found, then what only the broker can tell. */
export function compareWithBroker(knowledge: BrokerKnowledge): ProblemView[] {
  const found = knowledge.verdict.problems
    .filter((problem) => problem.breaks)
    .map(({ part, code, message }) => ({ part, code, message }));
  const more = [...findStrangeSegments(knowledge), ...findStrangeGenesis(knowledge)].filter(
    ({ part }) => !found.some((problem) => problem.part.startsWith(part)),
  );
  const problems = [...found, ...more];
  return problems.length > 0 ? problems : findMissingEnd(knowledge);
}

function findStrangeSegments({ segments, names, digests }: BrokerKnowledge): ProblemView[] {
  const rows = new Map(segments.map((row) => [segmentObject("runner", row.segment), row]));
  return names
    .filter((name) => parseSegmentObject("runner", name) !== undefined)
    .flatMap((part) => {
      const [row, digest] = [rows.get(part), digests.get(part)];
      if (row === undefined) {
        return [{ part, code: "segment_unannounced", message: "the broker never countersigned it" }];
      }
      return digest === undefined || digest === row.sha256
        ? []
        : [{ part, code: "segment_changed", message: "it is not what the broker countersigned" }];
    });
}

const GIVEN = ["session", "robot", "iss", "repository_id", "run_id", "run_attempt", "check_run_id"] as const;

/** The genesis is the proxy's word: it has to be what the broker gave it. */
function findStrangeGenesis({ session, policies, verdict }: BrokerKnowledge): ProblemView[] {
  const genesis = verdict.records.find((record) => record.kind === "genesis");
  if (genesis === undefined) {
    return [];
  }
  const given = { session: session.id, robot: session.robot, ...workloadOf(session) };
  const stated = {
    session: genesis.session,
    robot: genesis.robot,
    ...genesis.workload,
  };
  const differing: string[] = GIVEN.filter((name) => given[name] !== stated[name]);
  // A proxy can have started after the session had lost something.
  if (!policies.includes(genesis.policy)) differing.push("policy");
  return differing.length === 0
    ? []
    : [
        {
          part: `${segmentObject("runner", 1)} record 0`,
          code: "genesis_mismatch",
          message: `its ${differing.join(", ")} is not what the broker gave the session`,
        },
      ];
}

/** The broker sealed or recovered the log, and what it wrote then is not there any more. */
function findMissingEnd({ session, verdict }: BrokerKnowledge): ProblemView[] {
  if (session.state === "sealed" && verdict.status !== "complete") {
    const message = "the broker sealed this log, and its manifest is not in the bucket";
    return [{ part: "manifest.json", code: "manifest_missing", message }];
  }
  if (session.recovered_at !== null && verdict.status !== "recovered") {
    const message = "the broker stored a recovered tail, and its manifest is not in the bucket";
    return [{ part: "recovered/manifest.json", code: "manifest_missing", message }];
  }
  return [];
}
