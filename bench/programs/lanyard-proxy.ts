/** Lanyard's proxy in front of the one server that the load calls. */
import { UpstreamChoice } from "../program-contract.ts";
import { startMeasuredProxy } from "./measured-proxy.ts";
import { readOptions, serveParent } from "./parent.ts";
import { MEASURED_SERVER, policy } from "./sample-policy.ts";

void start();

async function start(): Promise<void> {
  const choice = readOptions(UpstreamChoice);
  const proxy = await startMeasuredProxy(policy, {
    [MEASURED_SERVER]:
      "program" in choice
        ? { transport: "stdio", command: [process.execPath, choice.program], env: {}, start: "eager" }
        : { transport: "http", url: choice.upstream },
  });
  await serveParent(proxy.endpointOf(MEASURED_SERVER));
}
