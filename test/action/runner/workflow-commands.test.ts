import { expect, it } from "vitest";
import { createWorkflowCommands } from "../../../action/runner/workflow-commands.ts";
import { Masks, StepOutput } from "../../../dev/runner/step-output.ts";

function capture() {
  let text = "";
  const commands = createWorkflowCommands((part) => {
    text += part;
  });
  const output = new StepOutput(new Masks(), () => undefined);
  return {
    commands,
    /** What the runner makes of it. */
    shown: () => {
      for (const line of text.replace(/\n$/, "").split("\n")) output.addLine(line);
      return output;
    },
    written: () => text,
  };
}

it("a message keeps its line breaks and percent signs, and starts no other command", () => {
  const { commands, shown } = capture();
  commands.error("100 %25\n::set-output name=x::y\r\n::add-mask::z");
  expect(shown().annotations).toEqual([
    { level: "error", message: "100 %25\n::set-output name=x::y\r\n::add-mask::z" },
  ]);
});

it("a plain line stays one line", () => {
  const { commands, written } = capture();
  commands.say("one\n::error::two");
  expect(written()).toBe("one ::error::two\n");
});

it("a plain line starts none of the commands that count anywhere in a line", () => {
  const { commands, written } = capture();
  commands.say("Review: https://x/##[add-mask]a and ##[save-state name=directory]/");
  expect(written()).not.toContain("##[");
});

it("text of others is shown, and no line of it is a command", () => {
  const { commands, shown } = capture();
  commands.showForeignText(
    "stderr of files",
    "::add-mask::a\n::error::b\n::stop-commands::c\n::endgroup::\n",
  );
  commands.warning("after");
  const output = shown();
  expect(output.text.split("\n")).toEqual([
    "▾ stderr of files",
    "::add-mask::a",
    "::error::b",
    "::stop-commands::c",
    "::endgroup::",
    "warning: after",
  ]);
  expect(output.annotations).toEqual([{ level: "warning", message: "after" }]);
});

it("the word that turns commands on again is another each time", () => {
  const words = [1, 2].map(() => {
    const { commands, written } = capture();
    commands.showForeignText("x", "y");
    return /::stop-commands::(\w+)/.exec(written())?.[1];
  });
  expect(words[0]).toMatch(/^[0-9a-f]{48}$/);
  expect(words[0]).not.toBe(words[1]);
});
