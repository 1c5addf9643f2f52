/**
 * The policy that the measured proxy enforces: twenty grants over five servers, as a team would have them.
 * The tool that the load calls is granted under a condition only, so that every measured call evaluates CEL.
 */
import type { SessionPolicy } from "../../policies/session-policy.ts";
import { MEASURED_TOOL } from "./sample-tools.ts";

/** The one server that runs. */
export const MEASURED_SERVER = "records";

const ownRepository = "args.owner == run.repository_owner && args.repo == run.repository_name";

const grants: readonly Omit<SessionPolicy["grants"][number], "rule">[] = [
  { server: MEASURED_SERVER, tools: ["list_*", "search_*", "count_*"] },
  { server: MEASURED_SERVER, tools: ["get_issue", "get_file"] },
  { server: MEASURED_SERVER, tools: ["add_comment", "add_label"], when: ownRepository },
  { server: MEASURED_SERVER, tools: ["write_file"], when: 'args.path.startsWith("docs/")' },
  { server: MEASURED_SERVER, tools: [MEASURED_TOOL, "update_record"], when: ownRepository },
  ...["tickets", "wiki", "builds", "chat"].flatMap((server) => [
    { server, tools: ["list_*", "search_*"] },
    { server, tools: ["get_*"] },
    { server, tools: ["create_draft"], when: 'run.event_name == "workflow_dispatch"' },
  ]),
  { server: "tickets", tools: ["close_ticket"], when: "args.ticket > 0" },
  { server: "wiki", tools: ["write_page"], when: 'args.page.startsWith("runs/")' },
  { server: "chat", tools: ["send_message"], when: 'args.channel == "builds"' },
];

export const policy: SessionPolicy = {
  v: 1,
  robot: "acme/payments/triager",
  roles: ["triager"],
  mode: "enforce",
  grants: grants.map((grant, index) => ({ rule: `triager#${index + 1}`, ...grant })),
  flow: [],
  servers: Object.fromEntries(grants.map(({ server }) => [server, {}])),
};

/** Of the run that the session belongs to. */
export const claims = {
  repository: "acme/payments",
  repository_owner: "acme",
  event_name: "schedule",
  ref: "refs/heads/main",
};
