import { expect, test } from "vitest";
import { GuessLimit } from "../../../broker/operators/guess-limit.ts";

test("ten wrong tokens in a minute make an address wait until the minute is over", () => {
  let clock = 1_000_000;
  const limit = new GuessLimit(() => clock);
  for (let guess = 0; guess < 10; guess++) {
    expect(limit.secondsToWait("10.0.0.1")).toBe(0);
    limit.noteFailure("10.0.0.1");
  }
  expect(limit.secondsToWait("10.0.0.1")).toBe(60);
  expect(limit.secondsToWait("10.0.0.2")).toBe(0);
  clock += 59_001;
  expect(limit.secondsToWait("10.0.0.1")).toBe(1);
  clock += 999;
  expect(limit.secondsToWait("10.0.0.1")).toBe(0);
  limit.noteFailure("10.0.0.1");
  expect(limit.secondsToWait("10.0.0.1")).toBe(0);
});

test("a flood from many addresses is forgotten from its start, not kept for ever", () => {
  const limit = new GuessLimit(() => 1_000_000);
  for (let guess = 0; guess < 10; guess++) {
    limit.noteFailure("first");
  }
  for (let address = 0; address < 10_000; address++) {
    limit.noteFailure(`address ${address}`);
  }
  expect(limit.secondsToWait("first")).toBe(0);
});
