export * from "../action/built-action.ts";
