/**
 * The ledger: the writes that every session needs, those of exchanges, renewals and announced segments, many in one
 * commit. Nothing is answered before it is durable.
 */
import type { Admission, Decided } from "./admissions.ts";
import type { Announced, Announcement } from "./announcements.ts";
import { type Decisions, type Group, decideGroup } from "./group.ts";
import { GroupCommit } from "./group-commit.ts";
import type { Renewal, Renewed } from "./renewals.ts";
import { runnerOf } from "./runner.ts";
import type { PolicyRow, Queries, SessionRow } from "../schema.ts";
import { decideInThread } from "../sqlite/sqlite.ts";
import { inTransaction } from "../transactions.ts";

/** One more would make the groups smaller, and each costs its round trips: requests are verified in the meantime. */
const LANES = 1;

export interface Exchange extends Omit<Admission, "session"> {
  /** What is to be opened; undefined when nothing is granted, which binds nothing. */
  readonly draft: { readonly session: SessionRow; readonly policy: PolicyRow } | undefined;
}

export type Admitted =
  | Exclude<Decided, { readonly kind: "opened" | "resumed" }>
  /** A new session, or the one that the same key opened before, prolonged. */
  | { readonly kind: "opened"; readonly session: SessionRow };

/** Each throws `DatabaseUnavailable` when nothing was written, or nobody knows: the request can be repeated. */
export interface Ledger {
  admit(exchange: Exchange): Promise<Admitted>;
  renew(renewal: Renewal): Promise<Renewed>;
  announce(announcement: Announcement): Promise<Announced>;
}

type Entry =
  | { readonly kind: "exchange"; readonly exchange: Exchange }
  | { readonly kind: "renewal"; readonly renewal: Renewal }
  | { readonly kind: "announcement"; readonly announcement: Announcement };

/** Where in the decisions an entry finds its own. */
type Place = <Outcome>(outcomes: readonly Outcome[]) => Outcome;

/** One durable transaction. What it throws, it has undone. */
export type Decide = (group: Group) => Promise<Decisions>;

export function openLedger(database: Queries, decide: Decide = decideOn(database)): Ledger {
  const groups = new GroupCommit<Entry, { readonly decisions: Decisions; readonly own: Place }>({
    lanes: LANES,
    commit: async (entries) => {
      const { group, places } = gather(entries);
      const decisions = await decide(group);
      return places.map((own) => ({ decisions, own }));
    },
  });
  return {
    admit: async (exchange) => {
      const { decisions, own } = await groups.submit({ kind: "exchange", exchange });
      return complete(own(decisions.admissions), exchange);
    },
    renew: async (renewal) => {
      const { decisions, own } = await groups.submit({ kind: "renewal", renewal });
      return own(decisions.renewals);
    },
    announce: async (announcement) => {
      const { decisions, own } = await groups.submit({ kind: "announcement", announcement });
      return own(decisions.announcements);
    },
  };
}

function decideOn(database: Queries): Decide {
  return (
    decideInThread(database) ??
    (async (group) => inTransaction(database, async (db) => decideGroup(runnerOf(db), group)))
  );
}

function gather(entries: readonly Entry[]): { readonly group: Group; readonly places: readonly Place[] } {
  const [admissions, renewals, announcements]: [Admission[], Renewal[], Announcement[]] = [[], [], []];
  const policies = new Map<string, PolicyRow>();
  const places = entries.map((entry): Place => {
    switch (entry.kind) {
      case "exchange": {
        const { draft, ...rest } = entry.exchange;
        // Most sessions share one: it is sent once.
        if (draft !== undefined) policies.set(draft.policy.digest, draft.policy);
        return placeOf(admissions.push({ ...rest, session: draft?.session }));
      }
      case "renewal":
        return placeOf(renewals.push(entry.renewal));
      case "announcement":
        return placeOf(announcements.push(entry.announcement));
    }
  });
  return { group: { admissions, policies: [...policies.values()], renewals, announcements }, places };
}

function placeOf(length: number): Place {
  return (outcomes) => {
    const outcome = outcomes[length - 1];
    if (outcome === undefined) throw new Error("a member of a group was not decided");
    return outcome;
  };
}

function complete(decided: Decided, { draft }: Exchange): Admitted {
  if (decided.kind === "resumed") return { kind: "opened", session: decided.session };
  if (decided.kind !== "opened") return decided;
  if (draft === undefined) throw new Error("a session was opened that nobody asked for");
  return { kind: "opened", session: draft.session };
}
