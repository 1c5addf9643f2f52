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
import type { SessionState } from "./gate/gate-context.ts";
import type { Gate } from "./gate/gate.ts";
import { VisibleNames } from "./gate/lists/visible-names.ts";
import type { Reflections } from "./inspection/reflection-guard.ts";
import { DEFAULT_LIMITS, type Limits, limitsOfServer } from "./limits.ts";
import { Places } from "./places.ts";
import type { Recorder } from "./recorder.ts";
import { Recording } from "./recording.ts";
import { ReplaceablePolicy } from "./replaceable-policy.ts";
import type { Environment } from "./upstream/stdio/child-environment.ts";
import { prepareConnection, type ProxyServer, type ServerCredential } from "./upstream/connecting.ts";
import type { Upstream } from "./upstream/upstream.ts";

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
  /**
   * Puts gates of the same policy before stand-ins, behind the same door, for requests that carry `mark`: they reach
   * no server, count nothing and leave nothing in the log. Until the result is called.
   */
  openProbe(probe: ProbeOptions): () => Promise<void>;
  /** Takes no more calls, waits briefly for those in flight, records how they ended, stops what it started. */
  close(): Promise<void>;
}

interface ProbeOptions {
  readonly mark: string;
  /** Good for marked requests alone. */
  readonly token: string;
  /** The stand-in for a server. */
  readonly connect: (server: string) => Upstream;
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
    reached.map(async ([server, settings]) => ({
      server,
      connect: await prepareConnection(settings),
      limits: limitsOfServer(limits, settings.limits),
      credential: settings.credential,
      isRelayed: settings.transport === "http" && settings.isRelayed === true,
    })),
  );
  const { openServerGate } = await import("./gate/server-gate.ts");
  const { createInspector } = await import("./inspection/inspector.ts");
  const inspector = createInspector(redactor);
  const findReflections = ({ known }: ServerCredential): Reflections => ({
    redactor: known,
    inspector: createInspector(known, { everywhere: true }),
  });
  const gates: ReadonlyMap<string, Gate> = new Map(
    connections.map(({ server, connect, limits: own, credential, isRelayed }) => [
      server,
      openServerGate({
        ...{ ...shared, inspector, server, connect, limits: own, isRelayed },
        credential: credential && {
          provenance: credential.provenance,
          reflections: findReflections(credential),
        },
        environment: options.environment ?? {},
        stderr: options.stderrOf(server),
        sessionState: () => options.sessionState(),
      }),
    ]),
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
  const openProbe = ({ mark, token, connect }: ProbeOptions): (() => Promise<void>) => {
    const recording = new Recording({ recorder: { record: () => undefined }, redactor, salt });
    const own = { recording, usage: new SessionUsage(policy), names: new VisibleNames() };
    const probed = new Map(
      [...gates.keys()].map((server) => [
        server,
        openServerGate({
          ...{ ...shared, ...own, inspector, limits, server },
          connect: () => connect(server),
          environment: {},
          stderr: () => undefined,
          sessionState: () => ({ active: true }),
          labelsGained: () => undefined,
        }),
      ]),
    );
    const end = front.admitProbe({ mark, token, recording, gates: probed });
    return async () => {
      end();
      await Promise.all([...probed.values()].map((gate) => gate.close(0)));
    };
  };
  let closing: Promise<void> | undefined;
  try {
    const url = await front.listen();
    return {
      url,
      totals: () => recording.totals(),
      changePolicy,
      openProbe,
      close: () => (closing ??= close()),
    };
  } catch (cause) {
    await close();
    throw cause;
  }
}
