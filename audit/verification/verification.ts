/**
 * Verification of the log of one session, from its stored objects and the broker's public keys alone. What it calls
 * complete is, byte for byte, what the broker witnessed and sealed; everything else is told by its place.
 */
import type { JSONWebKeySet } from "jose";
import { CHAIN_START } from "../chain.ts";
import { compareCalls } from "./call-comparison.ts";
import { type Inventory, listCandidates, listStream, takeInventory } from "./inventory.ts";
import type { Manifest } from "../manifest.ts";
import { tellRefusal } from "./manifest-verification.ts";
import { MANIFEST_OBJECT, readPartitions, RECOVERED_MANIFEST_OBJECT } from "../object-path.ts";
import { ProblemList } from "./problem-list.ts";
import { findStoredEnd, RecoveredTail } from "./recovered-tail.ts";
import { RelayLog } from "./relay-log.ts";
import { RunnerLog } from "./runner-log.ts";
import { type SessionSource, StreamVerifier } from "./stream-verification.ts";
import type { Verdict, VerdictStatus } from "./verdict.ts";

export type { SessionSource } from "./stream-verification.ts";

export interface VerificationOptions {
  /** Where the objects lie, such as `audit/v1/…/session=…/`: what its partitions say is compared with the log. */
  readonly location?: string;
  /** How many records of each stream the verdict holds; all are verified and counted. Default 100,000. */
  readonly maxRecords?: number;
}

const DEFAULT_MAX_RECORDS = 100_000;

/** Throws only what the source throws. */
export async function verifySession(
  source: SessionSource,
  keys: JSONWebKeySet,
  { location = "", maxRecords = DEFAULT_MAX_RECORDS }: VerificationOptions = {},
): Promise<Verdict> {
  const problems = new ProblemList();
  const inventory = await takeInventory(source, keys, problems);
  const session = { source, keys, inventory, problems, maxRecords };
  const log = await verifyRunner(session);
  const { sealed, totals } = { sealed: log.order.sealed, totals: log.order.totals() };
  const tail = await verifyTail(session, log);
  const relay = await verifyRelay(session, log);
  const presented = [log.credentials, relay.credentials, tail.credentials];
  for (const { part, ...fault } of presented.flatMap((each) => each.tellLate() ?? [])) {
    problems.addNote(part, fault);
  }
  const identity = inventory.believed ?? log.genesis;
  if (identity !== undefined) {
    checkLocation(location, identity, problems);
  }
  tellEnding(session, { sealed, recovered: tail.count });
  return {
    status: decideStatus(session),
    session: identity?.session,
    robot: identity?.robot,
    workload: identity?.workload,
    problems: problems.list(),
    records: log.records,
    recovered: tail.records,
    recordCount: log.count,
    recoveredCount: tail.count,
    relayCount: relay.count,
    totals,
    credentials: presented.flatMap((each) => each.list()),
    credentialsLeftOut: presented.reduce((sum, { leftOut }) => sum + leftOut, 0),
    relayedWith: relay.sentWith,
    manifest: inventory.believed,
    checkpoints: log.checkpoints.count,
    witnessedSeq: findWitnessed(log, inventory.believed),
    head: log.last?.hash,
    keys: [
      ...new Set([
        ...log.checkpoints.signedBy,
        ...(inventory.stored?.signedBy ? [inventory.stored.signedBy] : []),
      ]),
    ],
  };
}

interface SessionTerms {
  readonly source: SessionSource;
  readonly keys: JSONWebKeySet;
  readonly inventory: Inventory;
  readonly problems: ProblemList;
  readonly maxRecords: number;
}

async function verifyRunner(session: SessionTerms): Promise<RunnerLog> {
  const { source, keys, inventory, problems, maxRecords } = session;
  const log = new RunnerLog({ keys, inventory, problems, maxRecords });
  await new StreamVerifier(
    {
      stream: "runner",
      source,
      objects: listCandidates(inventory, "runner"),
      listing: listStream(inventory, "runner"),
      start: CHAIN_START,
      problems,
      contentBreaks: true,
    },
    log,
  ).verify();
  if (inventory.believed?.status === "sealed") {
    log.requireSeal();
  }
  return log;
}

async function verifyTail(session: SessionTerms, log: RunnerLog): Promise<RecoveredTail> {
  const { source, inventory, problems, maxRecords } = session;
  const { believed } = inventory;
  const end = { nextSeq: (log.last?.seq ?? -1) + 1, head: log.last?.hash ?? CHAIN_START.head };
  const tail = new RecoveredTail({
    ...(believed === undefined ? { from: end, beyond: [] } : findStoredEnd(believed.runner)),
    order: log.order,
    calls: log.calls,
    manifest: believed,
    problems,
    maxRecords,
  });
  await new StreamVerifier(
    {
      stream: "recovered",
      source,
      objects: listCandidates(inventory, "recovered"),
      listing: listStream(inventory, "recovered"),
      start: undefined,
      problems,
      contentBreaks: false,
    },
    tail,
  ).verify();
  tail.tellDiscontinuity();
  return tail;
}

async function verifyRelay(session: SessionTerms, log: RunnerLog): Promise<RelayLog> {
  const { source, keys, inventory, problems, maxRecords } = session;
  const { believed, relay: stored } = inventory;
  const listing = listStream(inventory, "relay");
  const relay = new RelayLog({ keys, inventory, genesis: log.genesis, problems, maxRecords });
  const objects = listCandidates(inventory, "relay");
  await new StreamVerifier(
    { stream: "relay", source, objects, listing, start: CHAIN_START, problems, contentBreaks: true },
    relay,
  ).verify();
  const differences = compareCalls({
    ...{ runner: log.calls, relay: relay.calls },
    relayed: new Set([...(log.genesis?.relayed ?? []), ...(relay.genesis?.servers ?? [])]),
    runnerIsWhole: believed?.status === "sealed" && !log.order.hasGaps,
    relayIsWhole: (believed?.status === "sealed" || listing?.trusted === true) && !relay.order.hasGaps,
  });
  for (const { part, isCertain, ...fault } of differences) {
    problems.add({ part, ...fault, breaks: isCertain });
  }
  if (stored !== undefined) {
    tellRefusal(stored, problems);
  }
  return relay;
}

/** A log that was moved is told, even where everything in it fits. */
function checkLocation(
  location: string,
  { session, robot, workload }: Pick<Manifest, "session" | "robot" | "workload">,
  problems: ProblemList,
): void {
  const stated = readPartitions(location);
  const actual = {
    session,
    robot: robot.split("/").at(-1) ?? robot,
    repository_id: workload.repository_id,
    run: workload.run_id,
    attempt: workload.run_attempt,
  };
  for (const [name, value] of Object.entries(actual)) {
    const partition = stated.get(name);
    if (partition !== undefined && partition !== value) {
      const message = `it lies under ${name}=${partition}, the log is of ${name}=${value}`;
      problems.addBreak(`path ${name}`, { code: "location_mismatch", message });
    }
  }
}

function tellEnding(
  { inventory, problems }: SessionTerms,
  { sealed, recovered }: { sealed: boolean; recovered: number },
): void {
  const { stored, believed, objects } = inventory;
  if (believed?.status === "recovered" || (stored === undefined && recovered > 0)) {
    const records =
      recovered === 0 ? "nothing more was handed in" : `its last ${recovered} records were handed in later`;
    const message = `the log was never sealed: ${records}, witnessed by nobody`;
    problems.addNote(RECOVERED_MANIFEST_OBJECT, { code: "recovered", message });
  }
  if (stored === undefined) {
    const seal = sealed
      ? "it ends with its seal, but the broker did not confirm it"
      : "the log was never sealed";
    const message =
      objects.length === 0
        ? "nothing is stored"
        : `${seal}: whether records are missing at its end is not known`;
    problems.addNote(MANIFEST_OBJECT, { code: "manifest_missing", message });
  } else {
    tellRefusal(stored, problems);
  }
}

function decideStatus({ problems, inventory }: SessionTerms): VerdictStatus {
  if (problems.breaks) {
    return "broken";
  }
  switch (inventory.believed?.status) {
    case "sealed":
      return "complete";
    case "recovered":
      return "recovered";
    default:
      return "incomplete";
  }
}

function findWitnessed(log: RunnerLog, believed: Manifest | undefined): number | undefined {
  const witnessed = [log.checkpoints.witnessedSeq ?? -1, believed?.runner.at(-1)?.last_seq ?? -1];
  const last = Math.max(...witnessed);
  return last === -1 ? undefined : last;
}
