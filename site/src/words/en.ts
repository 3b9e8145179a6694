import inspect from "./en.inspect.json";
import make from "./en.make.json";
import shell from "./en.shell.json";

export const words: Record<string, string> = { ...shell, ...make, ...inspect };
