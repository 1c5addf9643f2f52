/** What a second replica stands on, without its HTTP: the same database, bucket and keys as a running test broker. */
import { type OpenedServices, openServices } from "../../../broker/start.ts";
import type { TestBroker } from "../../support/broker.ts";

export async function openReplica(on: TestBroker): Promise<OpenedServices> {
  return openServices({ config: on.config, publicUrl: on.url, now: on.now });
}
