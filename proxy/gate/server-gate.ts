/**
 * The gate before one server with everything that belongs to it, bundled apart and loaded once the session is there.
 * What it is given comes from outside; it shares nothing else with whoever opens it.
 */
import type { CompiledPolicy, Usage } from "../../policies/decision.ts";
import type { SessionUsage } from "../../policies/usage.ts";
import type { Inspector } from "../inspection/inspection.ts";
import { guardReflections, type Reflections } from "../inspection/reflection-guard.ts";
import type { Limits } from "../limits.ts";
import type { Places } from "../places.ts";
import type { CallFacts, Recording } from "../recording.ts";
import type { Environment } from "../upstream/stdio/child-environment.ts";
import type { Connect } from "../upstream/connecting.ts";
import type { Upstream } from "../upstream/upstream.ts";
import { type Admission, AT_ONCE } from "./admission.ts";
import type { AskContext } from "./asks/ask-decision.ts";
import { openCatalogs } from "./lists/catalog.ts";
import { DefinitionFindings } from "./lists/definition-findings.ts";
import { Forwarding } from "./forwarding/forwarding.ts";
import type { GateContext, SessionState } from "./gate-context.ts";
import { Gate } from "./gate.ts";
import { openHearing } from "./sessions/hearing.ts";
import { recordProcesses } from "./forwarding/process-record.ts";
import { ServerLoad } from "./calls/server-load.ts";
import { noteListChanged } from "./lists/list-changes.ts";
import { ListViews } from "./lists/list-view.ts";
import { refuseServerRequest } from "./asks/server-request.ts";
import { revisionOf } from "./sender.ts";
import type { SessionNames } from "./sessions/session-names.ts";
import type { SharedAsks } from "./asks/shared-asks.ts";
import { SessionTable } from "./sessions/session.ts";
import { Visibility } from "./lists/visibility.ts";
import type { VisibleNames } from "./lists/visible-names.ts";
import { WaitingAsks } from "./asks/waiting-asks.ts";
import { readListsWhole } from "./lists/whole-lists.ts";

interface GateCredential {
  /** Of the next call. */
  readonly provenance: () => CallFacts["credential"];
  /** What the server may send back of it. */
  readonly reflections: Reflections;
}

export interface ServerGateOptions {
  readonly server: string;
  readonly connect: Connect;
  readonly policy: CompiledPolicy;
  readonly usage: SessionUsage;
  readonly names: VisibleNames;
  readonly recording: Recording;
  readonly inspector: Inspector;
  readonly streams: Places;
  readonly limits: Limits;
  readonly environment: Environment;
  readonly stderr: (chunk: Buffer) => void;
  /** At once, unless other processes have gates of the same session. */
  readonly admission?: Admission;
  /** As the server gives them, unless other processes have gates of the same session. */
  readonly sessionNames?: SessionNames;
  /** Where other processes have gates of the same session: what was asked of agents, and by whom it is answered. */
  readonly sharedAsks?: SharedAsks | undefined;
  /** The server is another gate, which has decided and recorded what it asks. */
  readonly isRelayed?: boolean | undefined;
  /** What the server gets to see beside the messages; absent: nothing. */
  readonly credential?: GateCredential | undefined;
  sessionState(): SessionState;
  labelsGained(before: Usage["labels"]): void;
}

export function openServerGate(options: ServerGateOptions): Gate {
  const { server, recording, limits, streams, policy, usage, names, environment, stderr } = options;
  const { inspector, credential, admission = AT_ONCE } = options;
  const sessions = new SessionTable(options.sessionNames);
  const load = new ServerLoad(limits);
  const asks: AskContext = {
    ...{ server, policy, usage, sessions, recording, inspector, limits },
    waiting: new WaitingAsks({ recording, timeoutMs: limits.callTimeoutMs, shared: options.sharedAsks }),
    admission,
    shared: options.sharedAsks,
    isRelayed: options.isRelayed === true,
    answer: (sender, text) =>
      upstream.answer?.(
        { session: sender.session?.id, revision: revisionOf(sender), agent: sender.agent },
        text,
      ),
    sessionState: () => options.sessionState(),
    labelsGained: (before) => options.labelsGained(before),
  };
  const guarded = (connected: Upstream): Upstream =>
    credential === undefined
      ? connected
      : guardReflections(connected, {
          ...credential.reflections,
          reflected: () =>
            recording.noteRepeated("secret_redacted", server, { server, kinds: ["credential"] }),
        });
  const connected = options.connect({
    ...{ limits, environment, stderr },
    events: {
      answer: (request) => refuseServerRequest(asks, request),
      toolsChanged: (session) => sessions.forgetSightings(session),
      sessionEnded: (session) => sessions.forget(session),
      ...recordProcesses({ server, recording, limits }),
      noteOutputDropped: () => recording.noteRepeated("server_output_dropped", server, { server }),
      noteMessageDropped: () => forwarding.noteMessageDropped(),
    },
  });
  const upstream = readListsWhole(guarded(connected), limits);
  const visibility = new Visibility({ server, policy, usage });
  const forwarding = new Forwarding({
    ...{ server, recording, limits, load, sessions, streams, upstream, inspector, asks },
    listChanged: (sender, kind) => noteListChanged(context, sender, kind),
    hearingOf: (subscriptions) => openHearing(visibility, subscriptions),
  });
  const context: GateContext = {
    ...{ server, policy, usage, visibility, recording, limits, load, sessions, forwarding, asks },
    findings: new DefinitionFindings({ server, recording, visibility, names }),
    catalogs: openCatalogs(),
    views: new ListViews(),
    admission,
    credential: () => credential?.provenance(),
    sessionState: () => options.sessionState(),
    labelsGained: (before) => options.labelsGained(before),
  };
  return new Gate(context, ({ id, revision, agent }) => upstream.endSession(id, revision, agent));
}
