/**
 * Announcements: segments that follow each other, many sessions' in one transaction. What is written was countersigned
 * and does not change; a number that was announced before keeps what was announced then.
 */
import type { SegmentRow, SessionRow } from "../schema.ts";
import { type Runner, defineInsert, defineRead } from "./statements.ts";

export type Announced =
  /** The row that holds: the given one, or what was announced under its number before. */
  | { readonly kind: "kept"; readonly row: SegmentRow }
  /** It does not follow this one, which is the session's last. */
  | { readonly kind: "out_of_order"; readonly last: SegmentRow | undefined }
  | { readonly kind: "over"; readonly session: SessionEndRow };

type SessionEndRow = Pick<SessionRow, "id" | "state" | "final_segment">;

const LOCK_SESSION = defineRead({ table: "sessions", columns: ["id"] }, ({ db, sideBySide }) =>
  db
    .selectFrom("given")
    .innerJoin("sessions", "sessions.id", "given.id")
    .select(["sessions.id", "sessions.state", "sessions.final_segment"])
    .orderBy("sessions.id")
    .$if(sideBySide, (query) => query.forNoKeyUpdate(["sessions"])),
);
const FIND_LAST = defineRead({ table: "segments", columns: ["session"] }, ({ db }) =>
  db
    .selectFrom("given")
    .innerJoin("segments", "segments.session", "given.session")
    .selectAll("segments")
    .where("segments.segment", "=", (row) =>
      row
        .selectFrom("segments as other")
        .select(({ fn }) => fn.max("other.segment").as("last"))
        .whereRef("other.session", "=", "given.session"),
    ),
);
const KEEP_SEGMENT = defineInsert({
  table: "segments",
  columns: [
    "session",
    "segment",
    "bytes",
    "sha256",
    "md5",
    "first_seq",
    "last_seq",
    "prev",
    "head",
    "checkpoint",
    "announced_at",
  ],
  key: ["session", "segment"],
});

export interface Announcement {
  readonly row: SegmentRow;
  /** What the first segment of a log continues. */
  readonly start: string;
}

/** In a transaction. The outcomes are in the order of the announcements. */
export async function announceAll(
  runner: Runner,
  announcements: readonly Announcement[],
): Promise<Announced[]> {
  const ids = [...new Set(announcements.map(({ row }) => row.session))];
  // Nobody else announces or ends one of them before the transaction is over.
  const sessions = await runner.read(
    LOCK_SESSION,
    ids.map((id) => ({ id })),
  );
  const ends = new Map(sessions.map((row) => [row.id, row]));
  const found = await runner.read(
    FIND_LAST,
    ids.map((session) => ({ session })),
  );
  const lasts = new Map(found.map((row) => [row.session, row]));
  const added: SegmentRow[] = [];
  const outcomes = announcements.map((announcement): Announced => {
    const { row } = announcement;
    const last = lasts.get(row.session);
    // Somebody else announced it in the meantime: what is stored decides.
    if (last?.segment === row.segment) return { kind: "kept", row: last };
    if (!follows(announcement, last)) return { kind: "out_of_order", last };
    const session = ends.get(row.session);
    if (session !== undefined && isOver(session, row.segment)) return { kind: "over", session };
    lasts.set(row.session, row);
    added.push(row);
    return { kind: "kept", row };
  });
  await runner.write(KEEP_SEGMENT, added);
  return outcomes;
}

function follows({ row, start }: Announcement, last: SegmentRow | undefined): boolean {
  return last === undefined
    ? row.segment === 1 && row.first_seq === 0 && row.prev === start
    : row.segment === last.segment + 1 && row.first_seq === last.last_seq + 1 && row.prev === last.head;
}

function isOver({ state, final_segment: final }: SessionEndRow, segment: number): boolean {
  return (final !== null && segment > final) || state === "sealed";
}
