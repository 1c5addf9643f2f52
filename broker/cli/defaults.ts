/** What commands mean where nothing is said. */
import { readPoliciesDirectory, readTrustConfig } from "../config.ts";
import type { ExplainDefaults } from "./explain/explain.ts";

export interface PolicyDefaults {
  /** The directory that is meant where none is named. */
  readonly policies: string;
}

export function readDefaults(): PolicyDefaults {
  return { policies: readPoliciesDirectory() };
}

export function readExplainDefaults(): ExplainDefaults {
  return { policies: readPoliciesDirectory(), ...readTrustConfig() };
}
