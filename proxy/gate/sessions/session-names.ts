/**
 * What agents call the sessions of a server. By default what the server calls them; where several processes have a gate
 * of the same session, a name says all that another one needs to go on with it.
 */
import type { ClientInfo } from "../../recording.ts";

/** A session as it was opened. */
interface NamedSession {
  /** The server's own. */
  readonly id: string;
  readonly agent: string;
  readonly client: ClientInfo | undefined;
}

export interface SessionNames {
  give(session: NamedSession): string;
  /** Undefined for a name that nobody gave. */
  open(name: string): NamedSession | undefined;
}
