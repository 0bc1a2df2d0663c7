// Prints what the official parser finds wrong with the AsyncAPI document on standard input.
import { text } from "node:stream/consumers";
import { Parser } from "@asyncapi/parser";

const found = await new Parser().parse(await text(process.stdin));
const grave = found.diagnostics.filter((each) => each.severity <= 1);
console.log(JSON.stringify(grave.map(({ code, message, path }) => ({ code, message, path }))));
