// console.*, process.stdout and process.stderr as log lines on the channel, in order with the answers.
import { Writable } from "node:stream";
import { format } from "node:util";
import { errorForLog } from "./errors.mjs";

const LEVELS = { TRACE: 10, DEBUG: 20, INFO: 30, WARN: 40, ERROR: 50, FATAL: 60 };
const METHODS = { log: "INFO", info: "INFO", debug: "DEBUG", warn: "WARN", error: "ERROR", trace: "TRACE", fatal: "FATAL" };

/** Longest line; the rest follows in lines of its own. */
const LINE_LENGTH_MAX = 262_144;
/** Bytes of a line without its end that are kept while waiting for it. */
const PARTIAL_LENGTH_MAX = 65_536;

function jsonLine(level, requestId, values) {
  const line = { timestamp: new Date().toISOString(), level, requestId };
  const error = values.find((value) => Error.isError(value));
  if (values.length === 1 && !error) line.message = values[0];
  else line.message = format(...values);
  if (error) {
    const { errorType, errorMessage, stack } = errorForLog(error);
    Object.assign(line, { errorType, errorMessage, stackTrace: stack });
    if (values.length === 1) line.message = errorMessage;
  }
  try {
    return JSON.stringify(line);
  } catch {
    line.message = format(...values);
    return JSON.stringify(line);
  }
}

/**
 * Patches the process's ways to write. `current()` is the running call `{ id, requestId }` or undefined.
 * Returns `line(level, call, ...values)` for the runtime's own lines and `flush(call)` for what has no line end yet.
 */
export function patchConsole(channel, current, settings) {
  const json = settings.logFormat === "JSON";
  const least = json ? (LEVELS[settings.logLevel] ?? LEVELS.INFO) : 0;
  const emit = (call, text) => {
    for (let from = 0; from < text.length || from === 0; from += LINE_LENGTH_MAX) {
      channel.log(call ? call.id : 0, text.length > LINE_LENGTH_MAX ? text.slice(from, from + LINE_LENGTH_MAX) : text);
    }
  };
  const line = (level, call, ...values) => {
    if (LEVELS[level] < least) return;
    const requestId = call?.requestId;
    emit(call, json ? jsonLine(level, requestId, values) : `${new Date().toISOString()}\t${requestId}\t${level}\t${format(...values)}`);
  };
  for (const [method, level] of Object.entries(METHODS)) console[method] = (...values) => line(level, current(), ...values);

  const partials = [rawStream("stdout", 1, current, emit), rawStream("stderr", 2, current, emit)];
  return {
    line,
    flush: (call) => {
      for (const partial of partials) partial(call);
      channel.reportDropped();
    },
  };
}

/** Replaces `process.stdout` or `process.stderr`, made only when somebody asks for it. Returns the flush of its last line. */
function rawStream(name, fd, current, emit) {
  let partial = "";
  let stream;
  const write = (chunk, encoding, done) => {
    const lines = (partial + (typeof chunk === "string" ? chunk : chunk.toString("utf8"))).split("\n");
    partial = lines.pop();
    const call = current();
    for (const text of lines) emit(call, text);
    if (partial.length > PARTIAL_LENGTH_MAX) {
      emit(call, partial);
      partial = "";
    }
    done();
  };
  const make = () => Object.assign(new Writable({ decodeStrings: false, write }), { fd });
  Object.defineProperty(process, name, { configurable: true, enumerable: true, get: () => (stream ??= make()) });
  return (call) => {
    if (partial === "") return;
    emit(call, partial);
    partial = "";
  };
}
