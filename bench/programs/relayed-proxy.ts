/** Lanyard's proxy in front of a server that it reaches through the broker's relay, with the session of a real exchange. */
import { openSession } from "../../action/guard/session.ts";
import { fetchSubjectToken } from "../../action/wire/github-oidc.ts";
import { createHttp } from "../../action/wire/http-request.ts";
import { createProofKey } from "../../action/wire/proof-key.ts";
import { RelayedJob } from "../program-contract.ts";
import { startMeasuredProxy } from "./measured-proxy.ts";
import { readOptions, serveParent } from "./parent.ts";
import { MEASURED_SERVER, policy } from "./sample-policy.ts";

void start();

async function start(): Promise<void> {
  const { broker, environment } = readOptions(RelayedJob);
  const http = createHttp({});
  const oidc = {
    url: environment.ACTIONS_ID_TOKEN_REQUEST_URL,
    token: environment.ACTIONS_ID_TOKEN_REQUEST_TOKEN,
  };
  const subjectToken = (): Promise<string> => fetchSubjectToken({ http, oidc, audience: broker });
  const key = await createProofKey();
  const session = await openSession({ http, broker, subjectToken }, { key, robot: undefined, roles: [] });
  void session.keepAlive(() => undefined, new AbortController().signal);
  const proxy = await startMeasuredProxy(policy, {
    [MEASURED_SERVER]: { transport: "http", ...session.relayTo(MEASURED_SERVER) },
  });
  await serveParent(proxy.endpointOf(MEASURED_SERVER));
}
