/** What commands mean where nothing is said. */
import { readPoliciesDirectory, readTrustConfig } from "../config.ts";
import type { ExplainDefaults } from "./explain.ts";
import type { PolicyDefaults } from "./policy-check.ts";

export function readDefaults(): PolicyDefaults {
  return { policies: readPoliciesDirectory() };
}

export function readExplainDefaults(): ExplainDefaults {
  return { policies: readPoliciesDirectory(), ...readTrustConfig() };
}
