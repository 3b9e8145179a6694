import inspect from "./zh.inspect.json";
import make from "./zh.make.json";
import shell from "./zh.shell.json";

export const words: Record<string, string> = { ...shell, ...make, ...inspect };
