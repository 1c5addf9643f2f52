/**
 * A session as it is stored and as it is read: the JSON of its columns goes through a schema both ways.
 */
import { z } from "zod";
import { Workload } from "../../audit/record.ts";
import type { SessionRow } from "../storage/schema.ts";
import { StoredServer } from "./stored-server.ts";

const Roles = z.array(z.string());
const StoredClaims = z.record(z.string(), z.json());
const Servers = z.record(z.string(), StoredServer);
const WorkloadClaims = z.object({ ...Workload.shape, check_run_id: z.string().nullable().default(null) });

export const rolesOf = (row: SessionRow): string[] => Roles.parse(JSON.parse(row.roles));
export const claimsOf = (row: SessionRow): Record<string, z.core.util.JSONType> =>
  StoredClaims.parse(JSON.parse(row.claims));
export const serversOfRow = (row: SessionRow): Record<string, StoredServer> =>
  Servers.parse(JSON.parse(row.servers));
export const workloadOf = (row: SessionRow): Workload => WorkloadClaims.parse(JSON.parse(row.claims));

/** The digest of what it may do now. */
export function policyOf({ policy, narrowed_policy }: SessionRow): string {
  return narrowed_policy ?? policy;
}

/** The last part of the robot's name, as it stands in object paths. */
export function shortNameOf(robot: string): string {
  return robot.slice(robot.lastIndexOf("/") + 1);
}

export function timestampOf(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}
