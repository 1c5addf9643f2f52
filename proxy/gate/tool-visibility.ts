/**
 * Which tools of one server the agents see, and why: what the policy shows at this moment of the session and, where
 * the server is locked, only with the definition that was reviewed.
 */
import type { CompiledPolicy, Usage } from "../../policies/decision.ts";
import type { ServerFacts } from "../../policies/session-policy.ts";

export type LockVerdict = "reviewed" | "drifted" | "unreviewed";

export interface Visibility {
  readonly visible: boolean;
  /** The rule that shows it or `observed`; `no_grant`, `flow`, `drifted` or `unreviewed`. */
  readonly why: string;
}

export interface ToolVisibilityOptions {
  readonly server: string;
  readonly policy: CompiledPolicy;
  readonly usage: Usage;
}

const NOTHING_READ: Usage["labels"] = new Set();

export class ToolVisibility {
  readonly #options: ToolVisibilityOptions;
  #lock: ServerFacts["lock"];
  #tools: ReadonlyMap<string, string> | undefined;

  constructor(options: ToolVisibilityOptions) {
    this.#options = options;
  }

  /** That of the policy at this moment: it can be replaced while the session runs. */
  get #locked(): ReadonlyMap<string, string> | undefined {
    const { policy, server } = this.#options;
    const lock = policy.lockOf(server);
    if (lock !== this.#lock) {
      this.#lock = lock;
      this.#tools = lock === undefined ? undefined : new Map(Object.entries(lock.tools));
    }
    return this.#tools;
  }

  /** Of the instructions that were reviewed; undefined where there is no lock or it holds none. */
  get lockedInstructions(): string | undefined {
    const { policy, server } = this.#options;
    return policy.lockOf(server)?.instructions;
  }

  get isLocked(): boolean {
    return this.#locked !== undefined;
  }

  lockedDigestOf(tool: string): string | undefined {
    return this.#locked?.get(tool);
  }

  judgeDefinition(tool: string, digest: string): LockVerdict {
    const tools = this.#locked;
    if (tools === undefined) {
      return "reviewed";
    }
    const locked = tools.get(tool);
    return locked === digest ? "reviewed" : locked === undefined ? "unreviewed" : "drifted";
  }

  show(tool: string, digest: string, labels = this.#options.usage.labels): Visibility {
    const { policy, server } = this.#options;
    const shown = policy.show({ server, kind: "tool", name: tool }, labels);
    const verdict = shown.visible ? this.judgeDefinition(tool, digest) : "reviewed";
    return verdict === "reviewed" ? shown : { visible: false, why: verdict };
  }

  /** Whether any rule names it, whatever the session has read: what nobody could see needs no report. */
  concernsAgents(tool: string): boolean {
    const { policy, server } = this.#options;
    return policy.show({ server, kind: "tool", name: tool }, NOTHING_READ).visible;
  }
}
