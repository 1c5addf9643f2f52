/** What commands mean where nothing is said. */
import { readPoliciesDirectory } from "../config.ts";
import type { PolicyDefaults } from "./policy-check.ts";

export function readDefaults(): PolicyDefaults {
  return { policies: readPoliciesDirectory() };
}
