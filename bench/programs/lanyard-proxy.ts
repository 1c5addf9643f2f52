/** Lanyard's proxy in front of the one server that the load calls. */
import { Upstream } from "../program-contract.ts";
import { startMeasuredProxy } from "./measured-proxy.ts";
import { readOptions, serveParent } from "./parent.ts";
import { MEASURED_SERVER, policy } from "./sample-policy.ts";

const { upstream } = readOptions(Upstream);
const proxy = await startMeasuredProxy(policy, { [MEASURED_SERVER]: { transport: "http", url: upstream } });
await serveParent(proxy.endpointOf(MEASURED_SERVER));
