/**
 * The proxy: one gate before each server of a session, behind one front door.
 * No message reaches a server that was not decided and recorded; what it started, it ends.
 */
import type { Totals } from "../audit/record.ts";
import type { Redactor } from "../audit/redaction/redaction.ts";
import type { CompiledPolicy, Usage } from "../policies/decision.ts";
import { SessionUsage } from "../policies/usage.ts";
import type { Control } from "./front/control.ts";
import { Front } from "./front/front.ts";
import { Catalog } from "./gate/catalog.ts";
import { Forwarding } from "./gate/forwarding.ts";
import type { SessionState } from "./gate/gate-context.ts";
import { Gate } from "./gate/gate.ts";
import { answerServerRequest } from "./gate/server-request.ts";
import { SessionTable } from "./gate/session.ts";
import { ToolFindings } from "./gate/tool-findings.ts";
import { ToolVisibility } from "./gate/tool-visibility.ts";
import { VisibleNames } from "./gate/visible-names.ts";
import { DEFAULT_LIMITS, type Limits } from "./limits.ts";
import { Places } from "./places.ts";
import type { Recorder } from "./recorder.ts";
import { Recording } from "./recording.ts";
import { ReplaceablePolicy } from "./replaceable-policy.ts";
import type { Environment } from "./upstream/child-environment.ts";
import { type Connect, prepareConnection, type ProxyServer } from "./upstream/connecting.ts";

export interface ProxyOptions {
  readonly policy: CompiledPolicy;
  readonly servers: Readonly<Record<string, ProxyServer>>;
  readonly agents: readonly { readonly name: string; readonly token: string }[];
  readonly recorder: Recorder;
  readonly redactor: Redactor;
  /** Of this session's argument digests. */
  readonly salt: Uint8Array;
  sessionState(): SessionState;
  /** Takes the stderr of a stdio server. */
  stderrOf(server: string): (chunk: Buffer) => void;
  /** Of it, stdio servers get `PATH`, `HOME` and the like (child-environment.ts); nothing without it. */
  readonly environment?: Environment;
  readonly control?: Control;
  readonly limits?: Partial<Limits>;
}

export interface RunningProxy {
  /** `http://127.0.0.1:PORT`; agents post to `/mcp/<server>` below it. */
  readonly url: string;
  totals(): Totals;
  /** From the next decision on; what the session has used up so far stays used up. Agents are told what they no longer see. */
  changePolicy(policy: CompiledPolicy): void;
  /** Takes no more calls, waits briefly for those in flight, records how they ended, stops what it started. */
  close(): Promise<void>;
}

export async function startProxy(options: ProxyOptions): Promise<RunningProxy> {
  const { recorder, redactor, salt, agents, control, servers } = options;
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  const recording = new Recording({ recorder, redactor, salt });
  const streams = new Places(limits.maxStreams);
  const policy = new ReplaceablePolicy(options.policy);
  const usage = new SessionUsage(policy);
  const names = new VisibleNames();
  const labelsGained = (before: Usage["labels"]): void => gates.forEach((gate) => gate.tellLess(before));
  const shared = { policy, recording, streams, usage, names, labelsGained };
  // A server that no grant reaches does not exist for the agents: it is not even started.
  const reached = Object.entries(servers).filter(([name]) => options.policy.reaches(name));
  const connections = await Promise.all(
    reached.map(async ([name, server]) => [name, await prepareConnection(server)] as const),
  );
  const gates: ReadonlyMap<string, Gate> = new Map(
    connections.map(([name, connect]) => [name, openGate({ ...options, ...shared, limits }, name, connect)]),
  );
  const front = new Front({ gates, agents, control, recording, limits });
  const close = async (): Promise<void> => {
    front.refuseAgents();
    await Promise.all([...gates.values()].map((gate) => gate.close(limits.closeGraceMs)));
    front.close();
  };
  const changePolicy = (next: CompiledPolicy): void => {
    const visible = [...gates.values()].map((gate) => [gate, gate.listVisible()] as const);
    policy.replace(next);
    visible.forEach(([gate, before]) => gate.tellChanged(before));
  };
  let closing: Promise<void> | undefined;
  try {
    const url = await front.listen();
    return { url, totals: () => recording.totals(), changePolicy, close: () => (closing ??= close()) };
  } catch (cause) {
    await close();
    throw cause;
  }
}

interface GateOptions extends Omit<ProxyOptions, "limits"> {
  readonly limits: Limits;
  readonly recording: Recording;
  readonly streams: Places;
  readonly usage: SessionUsage;
  readonly names: VisibleNames;
  labelsGained(before: Usage["labels"]): void;
}

function openGate(options: GateOptions, server: string, connect: Connect): Gate {
  const { recording, limits, streams, policy, usage, names } = options;
  const sessions = new SessionTable();
  const upstream = connect({
    limits,
    environment: options.environment ?? {},
    stderr: options.stderrOf(server),
    events: {
      answer: (request) => answerServerRequest(recording, server, request),
      toolsChanged: (session) => sessions.forgetSightings(session),
      sessionEnded: (session) => sessions.forget(session),
      noteLost: ({ code, detail }) => {
        const event = code === "start_failed" ? "server_start_failed" : "server_exited";
        recording.noteRepeated(event, server, { server, detail });
      },
      noteOutputDropped: () => recording.noteRepeated("server_output_dropped", server, { server }),
      noteMessageDropped: () => forwarding.noteMessageDropped(),
    },
  });
  const forwarding = new Forwarding({ server, recording, limits, sessions, streams, upstream });
  const visibility = new ToolVisibility({ server, policy, usage });
  return new Gate(
    {
      server,
      policy,
      usage,
      visibility,
      findings: new ToolFindings({ server, recording, visibility, names }),
      recording,
      limits,
      sessions,
      catalog: new Catalog(limits.maxTools),
      forwarding,
      sessionState: () => options.sessionState(),
      labelsGained: (before) => options.labelsGained(before),
    },
    ({ id, revision }) => upstream.endSession(id, revision),
  );
}
