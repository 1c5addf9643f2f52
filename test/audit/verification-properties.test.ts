import fc from "../support/properties.ts";
import { describe, expect, test } from "vitest";
import { packSegment } from "../../audit/segment.ts";
import {
  linesOf,
  type Objects,
  storeRecovered,
  storeSealed,
  storeUnsealed,
  tell,
  verify,
} from "./stored-session.ts";

const sealed = (await storeSealed()).objects;
const recovered = (await storeRecovered()).objects;
const unsealed = (await storeUnsealed()).objects;

/** An object of a session and a place in it. */
function placeIn(objects: Objects): fc.Arbitrary<{ object: string; body: Buffer; place: number }> {
  const each = [...objects].map(([object, body]) =>
    fc.nat(body.length - 1).map((place) => ({ object, body, place })),
  );
  return fc.oneof(...each);
}

describe.each([
  ["sealed", sealed],
  ["recovered", recovered],
])("of a %s session", (_status, objects) => {
  test("one byte changed in any record, any manifest", async () => {
    await fc.assert(
      fc.asyncProperty(
        placeIn(objects),
        fc.integer({ min: 1, max: 255 }),
        async ({ object, body, place }, mask) => {
          const changed = Buffer.from(body);
          changed[place] = (changed[place] ?? 0) ^ mask;
          const verdict = await verify(new Map(objects).set(object, changed));
          expect(verdict.status).toBe("broken");
          const broken = verdict.problems.filter(({ breaks }) => breaks);
          expect(broken.some(({ part }) => part.startsWith(object))).toBe(true);
          if (object.endsWith(".zst")) {
            expect(broken.every(({ part }) => part.startsWith(object))).toBe(true);
          }
        },
      ),
      { numRuns: 300 },
    );
  });

  test("truncation of any object at any byte", async () => {
    await fc.assert(
      fc.asyncProperty(placeIn(objects), async ({ object, body, place }) => {
        const verdict = await verify(new Map(objects).set(object, body.subarray(0, place)));
        expect(verdict.status).toBe("broken");
        expect(tell(verdict).some((problem) => problem.startsWith(object))).toBe(true);
      }),
      { numRuns: 150 },
    );
  });

  test("any object missing", async () => {
    for (const object of objects.keys()) {
      const rest = new Map(objects);
      rest.delete(object);
      const { status, problems } = await verify(rest);
      expect(status).toBe(object.endsWith("manifest.json") ? "incomplete" : "broken");
      expect(problems.some(({ part }) => part.startsWith(object) || part === "manifest.json")).toBe(true);
    }
  });

  test("any bytes in the place of any object", async () => {
    await fc.assert(
      fc.asyncProperty(placeIn(objects), fc.uint8Array({ maxLength: 200 }), async ({ object }, bytes) => {
        const verdict = await verify(new Map(objects).set(object, Buffer.from(bytes)));
        expect(verdict.status).toBe("broken");
      }),
      { numRuns: 50 },
    );
  });
});

test("one byte changed in a log that was never sealed is reported, or changes no record", async () => {
  const { head, recordCount } = await verify(unsealed);
  await fc.assert(
    fc.asyncProperty(
      placeIn(unsealed),
      fc.integer({ min: 1, max: 255 }),
      async ({ object, body, place }, mask) => {
        const changed = Buffer.from(body);
        changed[place] = (changed[place] ?? 0) ^ mask;
        const verdict = await verify(new Map(unsealed).set(object, changed));
        if (verdict.status !== "broken") {
          // Some bits of a compressed frame mean nothing; nobody but a manifest can tell.
          expect(object).toBe("runner/000003.jsonl.zst");
          expect(verdict).toMatchObject({ status: "incomplete", head, recordCount });
        }
      },
    ),
    { numRuns: 300 },
  );
});

test("one byte changed in the content of a segment, packed again, names the record that holds it", async () => {
  const { objects } = await storeSealed();
  const segments = await Promise.all(
    [...objects.keys()]
      .filter((object) => object.endsWith(".zst"))
      .map(async (object) => ({ object, lines: await linesOf(objects, object) })),
  );
  const place = fc.oneof(
    ...segments.map(({ object, lines }) =>
      fc.record({
        object: fc.constant(object),
        lines: fc.constant(lines),
        index: fc.nat(lines.length - 1),
        share: fc.double({ min: 0, max: 0.999, noNaN: true }),
        mask: fc.integer({ min: 1, max: 255 }),
      }),
    ),
  );
  await fc.assert(
    fc.asyncProperty(place, async ({ object, lines, index, share, mask }) => {
      const before = Buffer.from(
        lines
          .slice(0, index)
          .map((line) => `${line}\n`)
          .join(""),
      );
      const bytes = Buffer.from(`${lines.join("\n")}\n`);
      // Its newline is part of a record too.
      const at = before.length + Math.floor(share * (Buffer.byteLength(lines[index] ?? "") + 1));
      bytes[at] = (bytes[at] ?? 0) ^ mask;
      const changed = new Map(objects).set(object, (await packSegment(bytes)).body);
      const verdict = await verify(changed);
      const { seq } = JSON.parse(lines[index] ?? "");
      expect(verdict.problems.map(({ part }) => part)).toEqual([`${object} record ${seq}`]);
      expect(verdict.status).toBe("broken");
    }),
    { numRuns: 200 },
  );
});
