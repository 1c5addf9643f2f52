/**
 * Markers of prompt injection: what a text says when it speaks to the agent that reads it and not to a person.
 * They are noted and block nothing, so a text that only talks about such things may be noted as well. One that says
 * it in other words is not found: what an agent can do with what it has read is for flow rules, not for this list.
 */

export interface Marker {
  readonly name: string;
  /** Of which one stands in every text that has the marker, whatever its case; at least three characters of ASCII. */
  readonly hints: readonly string[];
  /** Of bounded work at each place of the text. */
  readonly isIn: (text: string) => boolean;
}

/** Up to so many words in between. */
const words = (most: number): string => String.raw`(?:\W{1,5}\w{1,20}){0,${most}}\W{1,5}`;
const AGENTS = "ai|llm|assistants?|agents?|language models?|claude|chatgpt|copilot|gemini|codex";
const SECRETS = String.raw`secrets?|tokens?|passwords?|credentials?|api[ _-]?keys?|private keys?|ssh keys?|environment variables?|cookies?`;
const PEOPLE = "user|human|operator|developer";

function saying(pattern: string): Marker["isIn"] {
  const said = new RegExp(pattern, "im");
  return (text) => said.test(text);
}

export const INJECTION_MARKERS: readonly Marker[] = [
  {
    // "Ignore all previous instructions", "new system prompt:"
    name: "instruction_override",
    hints: ["instruction", "prompt", "rules", "guideline"],
    isIn: saying(
      String.raw`\b(?:ignore|disregard|forget|override|bypass)${words(2)}(?:previous|prior|above|earlier|preceding|existing|all|any|your|these|system)${words(3)}(?:instructions?|prompts?|rules|guidelines?)\b|\bnew (?:system )?(?:instructions?|prompt)\s{0,5}:`,
    ),
  },
  {
    // A comment of HTML or Markdown, which a page does not show, that speaks to an agent
    name: "hidden_comment",
    hints: ["<!--"],
    isIn: speaksInComment,
  },
  {
    // What separates the speakers in a model's own input
    name: "role_marker",
    hints: [
      "<|im_",
      "<|sys",
      "<|use",
      "<|ass",
      "<|end",
      "<|eot",
      "<|sta",
      "inst]",
      "sys>>",
      "system>",
      "assistant>",
    ],
    isIn: saying(
      String.raw`<\|(?:im_start|im_end|system|user|assistant|endoftext|eot_id|start_header_id)\||\[/?INST\]|<</?SYS>>|</?(?:system|assistant)>`,
    ),
  },
  {
    // A line that begins as a system prompt would
    name: "system_block",
    hints: ["system:", "system**", "system prompt", "system message", "system note", "system override"],
    isIn: saying(String.raw`^[ \t#>*\[-]{0,10}system(?: prompt| message| note| override)?[\]*]{0,3}\s{0,3}:`),
  },
  {
    // "Send the API key to …"
    name: "secret_request",
    hints: ["secret", "token", "password", "credential", "key", "environment variable", "cookie"],
    isIn: saying(
      String.raw`\b(?:send|post|upload|forward|e-?mail|exfiltrate|leak|reveal|paste|submit|transmit)${words(6)}(?:${SECRETS})\b`,
    ),
  },
  {
    // "Post it to a public gist"
    name: "public_post",
    hints: ["public"],
    isIn: saying(
      String.raw`\b(?:post|publish|create|open|write|push|send|upload)${words(6)}public${words(2)}(?:gist|repo|repository|issue|comment|page|channel|paste|bucket|url|endpoint)\b`,
    ),
  },
  {
    // "Do not tell the user"
    name: "concealment",
    hints: ["the user", "your user", "any user", "human", "operator", "developer"],
    isIn: saying(
      String.raw`\b(?:do not|don['’]?t|never|without)\W{1,5}(?:tell|mention|inform|notify|alert|reveal|disclose|ask|show)(?:ing|l?ing)?${words(4)}(?:the|your|any)\W{1,5}(?:${PEOPLE})`,
    ),
  },
  {
    // "Note to the AI assistant", "AI agents must"
    name: "addressed_agent",
    hints: [
      " ai",
      "ai ",
      "llm",
      "assistant",
      "agent",
      "language model",
      "claude",
      "chatgpt",
      "copilot",
      "gemini",
      "codex",
    ],
    isIn: saying(
      String.raw`\b(?:attention|important|note|message|instructions?|notice)${words(3)}(?:${AGENTS})\b|\b(?:${AGENTS})\W{1,5}(?:must|should|reading this|please)\b`,
    ),
  },
  {
    // "You must call the create_gist tool"
    name: "tool_order",
    hints: ["tool"],
    isIn: saying(
      String.raw`\b(?:you must|you should|you need to|please|now|immediately|then|first)\W{1,5}(?:call|invoke|use|run|execute)${words(3)}tool\b`,
    ),
  },
];

const SPOKEN_TO = new RegExp(
  String.raw`\b(?:${AGENTS}|model|instructions?|prompt|you (?:must|should))\b`,
  "i",
);

/** Comments do not overlap, so the text is read once however many begin in it. */
function speaksInComment(text: string): boolean {
  for (let start = text.indexOf("<!--"); start !== -1; ) {
    const end = text.indexOf("-->", start + 4);
    if (SPOKEN_TO.test(text.slice(start + 4, end === -1 ? undefined : end))) {
      return true;
    }
    start = end === -1 ? -1 : text.indexOf("<!--", end);
  }
  return false;
}
