/**
 * Property tests. Where a change is judged, they try the same values each time: the verdict is on the change and not on
 * the luck of the day. Everywhere else they try new ones, and `LANYARD_TEST_SEED` repeats what a failure named.
 */
import fc from "fast-check";

const named = process.env["LANYARD_TEST_SEED"] ?? (process.env["CI"] === undefined ? undefined : "20261101");

if (named !== undefined) {
  fc.configureGlobal({ seed: Number(named) });
}

export { fc as default };
