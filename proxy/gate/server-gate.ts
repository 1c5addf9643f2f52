/**
 * The gate before one server with everything that belongs to it, bundled apart and loaded once the session is there.
 * What it is given comes from outside; it shares nothing else with whoever opens it.
 */
import type { CompiledPolicy, Usage } from "../../policies/decision.ts";
import type { SessionUsage } from "../../policies/usage.ts";
import type { Inspector } from "../inspection/inspection.ts";
import type { Limits } from "../limits.ts";
import type { Places } from "../places.ts";
import type { Recording } from "../recording.ts";
import type { Environment } from "../upstream/child-environment.ts";
import type { Connect } from "../upstream/connecting.ts";
import { openCatalogs } from "./catalog.ts";
import { Cursors } from "./cursors.ts";
import { DefinitionFindings } from "./definition-findings.ts";
import { Forwarding } from "./forwarding.ts";
import type { SessionState } from "./gate-context.ts";
import { Gate } from "./gate.ts";
import { openHearing } from "./hearing.ts";
import { answerServerRequest } from "./server-request.ts";
import { SessionTable } from "./session.ts";
import { Visibility } from "./visibility.ts";
import type { VisibleNames } from "./visible-names.ts";

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
  sessionState(): SessionState;
  labelsGained(before: Usage["labels"]): void;
}

export function openServerGate(options: ServerGateOptions): Gate {
  const { server, recording, limits, streams, policy, usage, names, environment, stderr } = options;
  const { inspector } = options;
  const sessions = new SessionTable();
  const upstream = options.connect({
    ...{ limits, environment, stderr },
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
  const visibility = new Visibility({ server, policy, usage });
  const forwarding = new Forwarding({
    ...{ server, recording, limits, sessions, streams, upstream, inspector },
    hearingOf: (subscriptions) => openHearing({ server, policy, visibility }, subscriptions),
  });
  return new Gate(
    {
      ...{ server, policy, usage, visibility, recording, limits, sessions, forwarding },
      findings: new DefinitionFindings({ server, recording, visibility, names }),
      catalogs: openCatalogs(limits.maxListed),
      cursors: new Cursors(),
      sessionState: () => options.sessionState(),
      labelsGained: (before) => options.labelsGained(before),
    },
    ({ id, revision }) => upstream.endSession(id, revision),
  );
}
